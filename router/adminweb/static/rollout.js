// Sliders that sum to 100: moving one moves the others in proportion.

export function rollouts() {
	document.addEventListener("input", (event) => {
		const form = event.target.closest("form.rollout");
		if (!form) return;
		const sliders = [...form.querySelectorAll("[data-slider]")];
		const weights = [...form.querySelectorAll("[data-weight]")];
		const i = Math.max(sliders.indexOf(event.target), weights.indexOf(event.target));
		if (i < 0) return;
		if (event.target === sliders[i]) {
			share(sliders, i).forEach((w, k) => {
				sliders[k].value = w;
				weights[k].value = w;
			});
		} else {
			sliders[i].value = weights[i].value; // typed numbers are left as they are
		}
		total(form, weights);
	});
	const all = () => document.querySelectorAll("form.rollout").forEach((form) => total(form, [...form.querySelectorAll("[data-weight]")]));
	document.addEventListener("fresh", all);
	all();
}

// share returns what each slider stands at once slider i has taken its part.
function share(sliders, i) {
	const now = sliders.map((s) => Number(s.value));
	const rest = 100 - now[i];
	const others = now.reduce((sum, w, k) => (k === i ? sum : sum + w), 0);
	const next = now.map((w, k) => (k === i ? w : others ? Math.floor((w * rest) / others) : Math.floor(rest / (now.length - 1))));
	let missing = 100 - next.reduce((sum, w) => sum + w, 0);
	for (let k = 0; missing > 0; k = (k + 1) % next.length) {
		if (k !== i) {
			next[k]++;
			missing--;
		}
	}
	return next;
}

function total(form, weights) {
	const sum = weights.reduce((s, w) => s + (Number(w.value) || 0), 0);
	const out = form.querySelector("[data-sum]");
	if (!out) return;
	out.value = sum;
	out.closest(".sum").classList.toggle("off", sum !== 100);
}

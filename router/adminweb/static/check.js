// Checks a rule while somebody types it, as saving would.

const pause = 250; // after the last key, ms

export function checking() {
	let timer = 0;
	document.addEventListener("input", (event) => {
		const field = event.target;
		if (!field.dataset.check) return;
		clearTimeout(timer);
		timer = setTimeout(() => check(field), pause);
	});
}

async function check(field) {
	const said = new URLSearchParams(new FormData(field.form));
	const text = field.value;
	try {
		const answer = await fetch(field.dataset.check, { method: "POST", body: said, credentials: "same-origin" });
		const found = answer.ok ? await answer.json() : null;
		if (found && field.value === text) tell(field, found);
	} catch {
		// saving will tell
	}
}

function tell(field, found) {
	const id = field.name + "-checked";
	document.getElementById(id)?.remove();
	const note = document.createElement("p");
	note.id = id;
	note.dataset.checked = "yes";
	note.className = found.problem ? "problem" : "fine";
	note.setAttribute("role", "status");
	note.textContent = found.problem || found.note;
	field.closest("label").after(note);
	if (found.problem) {
		field.setAttribute("aria-invalid", "true");
		field.setAttribute("aria-describedby", id);
	} else {
		field.removeAttribute("aria-invalid");
		field.removeAttribute("aria-describedby");
	}
}

// Searches while somebody types.
import { load, swap } from "./swap.js";

const pause = 120; // after the last key, ms

export function searching() {
	const form = document.getElementById("filter");
	if (!form) return;
	let timer = 0;
	let newest = 0;
	const search = async () => {
		const said = new URLSearchParams();
		for (const [name, value] of new FormData(form)) if (value) said.set(name, value);
		const url = form.action + (said.size ? "?" + said : "");
		const mine = ++newest;
		try {
			const { answer, page } = await load(url);
			if (mine !== newest || !answer.ok) return;
			history.replaceState(null, "", url);
			swap(page);
		} catch {
			location.href = url;
		}
	};
	form.addEventListener("input", () => {
		clearTimeout(timer);
		timer = setTimeout(search, pause);
	});
	form.addEventListener("submit", (event) => {
		event.preventDefault();
		clearTimeout(timer);
		search();
	});
	document.body.classList.add("searches");
}

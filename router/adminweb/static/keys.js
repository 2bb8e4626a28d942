// The keyboard: / j k Enter s ?

export function keys() {
	document.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog")) return;
		const act = { "/": search, j: () => move(1), k: () => move(-1), s: flip, "?": help }[event.key];
		if (act?.() === true) event.preventDefault();
	});
	document.getElementById("search")?.addEventListener("keydown", (event) => {
		if (event.key === "Enter" || event.key === "ArrowDown") {
			if (move(1)) event.preventDefault();
		}
	});
}

function search() {
	const field = document.getElementById("search");
	field?.focus();
	field?.select();
	return Boolean(field);
}

function rows() {
	return [...document.querySelectorAll("#list tr[data-key]")];
}

// move goes to the next or previous row; its link has the focus, so that Enter opens it.
function move(by) {
	const all = rows();
	const at = all.findIndex((row) => row.contains(document.activeElement));
	const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
	const link = all[next]?.querySelector(".key");
	link?.focus();
	link?.scrollIntoView({ block: "nearest" });
	return Boolean(link);
}

function flip() {
	const row = document.activeElement?.closest("tr[data-key]");
	const button = row ? row.querySelector(".switch") : document.querySelector("#flag-head .switch");
	button?.click();
	return Boolean(button);
}

function help() {
	document.getElementById("help").showModal();
	return true;
}

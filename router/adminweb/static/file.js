// A file that is chosen becomes the text of the field that is sent.

export function files() {
	const show = () => document.querySelectorAll("[data-file]").forEach((label) => (label.hidden = false));
	document.addEventListener("fresh", show);
	show();
	document.addEventListener("change", async (event) => {
		const label = event.target.closest("[data-file]");
		const file = event.target.files?.[0];
		if (!label || !file) return;
		const text = document.getElementById(label.dataset.file);
		text.value = await file.text();
		text.dispatchEvent(new Event("input", { bubbles: true }));
	});
}

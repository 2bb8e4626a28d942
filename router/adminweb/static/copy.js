// Buttons that copy what is above them.

export function copying() {
	const show = () => document.querySelectorAll("[data-copy]").forEach((b) => (b.hidden = !navigator.clipboard));
	document.addEventListener("fresh", show);
	show();
	document.addEventListener("click", async (event) => {
		const button = event.target.closest("[data-copy]");
		if (!button) return;
		await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
		button.textContent = "Copied";
		setTimeout(() => (button.textContent = "Copy"), 1500);
	});
}

// Takes the parts of a page that may change from a newer form of it.

const parser = new DOMParser();

// load asks for a page and returns it with the answer. It throws where there is
// no connection.
export async function load(url, options = {}) {
	const answer = await fetch(url, { credentials: "same-origin", headers: { Accept: "text/html" }, ...options });
	return { answer, page: parser.parseFromString(await answer.text(), "text/html") };
}

// swap replaces the parts marked data-live that differ. Parts with a form that
// somebody is filling in stay, and say that they are of an older revision.
export function swap(page) {
	for (const part of document.querySelectorAll("[data-live]")) {
		const next = page.getElementById(part.id);
		if (!next || same(part, next)) continue;
		if (part.querySelector("form[data-dirty]")) {
			warn(part);
			continue;
		}
		const focus = part.contains(document.activeElement) ? path(document.activeElement) : "";
		const open = [...part.querySelectorAll("details")].map((d) => d.open);
		const fresh = document.adoptNode(next);
		part.replaceWith(fresh);
		fresh.querySelectorAll("details").forEach((d, i) => { if (open[i]) d.open = true; });
		if (focus) fresh.querySelector(focus)?.focus({ preventScroll: true });
		fresh.dispatchEvent(new CustomEvent("fresh", { bubbles: true }));
	}
	if (page.body.dataset.head) document.body.dataset.head = page.body.dataset.head;
}

// same compares what the router says: tokens of forms differ each time, and what scripts
// have noted beside the fields is none of its words.
function same(a, b) {
	return text(a) === text(b);
}

function text(part) {
	const copy = part.cloneNode(true);
	for (const t of copy.querySelectorAll("input[name=token]")) t.remove();
	for (const d of copy.querySelectorAll("details")) d.open = false;
	for (const s of copy.querySelectorAll(".stale, .fine, [data-checked], .sum")) s.remove();
	for (const f of copy.querySelectorAll("form")) for (const note of ["dirty", "sending"]) delete f.dataset[note];
	for (const f of copy.querySelectorAll('[aria-describedby$="-checked"]')) for (const note of ["aria-invalid", "aria-describedby"]) f.removeAttribute(note);
	return copy.innerHTML;
}

function warn(part) {
	if (part.querySelector(".stale")) return;
	const note = document.createElement("p");
	note.className = "stale";
	note.setAttribute("role", "status");
	note.textContent = "Somebody has changed this meanwhile. Go on: if both of you changed the same, you will see both versions before anything is saved.";
	part.prepend(note);
}

// path finds an element again after its part was replaced.
function path(element) {
	if (element.id) return "#" + CSS.escape(element.id);
	const row = element.closest("tr[data-key]");
	const within = row ? `tr[data-key="${CSS.escape(row.dataset.key)}"] ` : "";
	const form = element.closest("form");
	if (element.name) {
		const value = element.tagName === "BUTTON" ? `[value="${CSS.escape(element.value)}"]` : "";
		return within + element.localName + `[name="${CSS.escape(element.name)}"]` + value;
	}
	if (row && element.className) return within + "." + element.className.split(" ")[0];
	return form?.id ? "#" + CSS.escape(form.id) : "";
}

// refresh brings the page up to date.
export async function refresh() {
	const { answer, page } = await load(location.href);
	if (answer.redirected && new URL(answer.url).pathname === "/login") {
		loggedOut();
		return;
	}
	if (answer.ok) swap(page);
}

// banner shows a message above the page, or takes it away.
export function banner(...nodes) {
	const b = document.getElementById("banner");
	b.replaceChildren(...nodes);
	b.hidden = nodes.length === 0;
}

// loggedOut tells that the session has ended. The page stays: whoever logs in in
// another tab can go on with what was typed.
export function loggedOut() {
	const again = document.createElement("a");
	again.href = "/login?next=" + encodeURIComponent(location.pathname + location.search);
	again.target = "_blank";
	again.textContent = "Log in again";
	banner("Your session has ended; nothing was saved. ", again, " in another tab, then send the form again: what you typed is still here.");
	document.getElementById("live")?.setAttribute("data-state", "lost");
}

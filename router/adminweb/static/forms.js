// Sends forms without leaving the page, so that nothing typed is lost when the
// connection is, and asks for confirmation in a dialog.
import { restart } from "./live.js";
import { banner, load, loggedOut, refresh } from "./swap.js";

export function takeOverForms() {
	document.addEventListener("submit", (event) => {
		const form = event.target;
		if (form.method === "post" && form.getAttribute("action") !== "/logout") {
			event.preventDefault();
			send(form, event.submitter);
		} else if (form.classList.contains("opener")) {
			event.preventDefault();
			ask(form, event.submitter);
		}
	});
	document.addEventListener("input", (event) => {
		const form = event.target.form;
		if (form?.method === "post") form.dataset.dirty = "yes";
	});
	document.addEventListener("click", (event) => {
		if (event.target.closest("[data-close]") && dialog().open) {
			event.preventDefault();
			dialog().close();
		}
	});
}

function dialog() {
	return document.getElementById("dialog");
}

// ask opens the page that a switch leads to as a dialog.
async function ask(form, submitter) {
	const url = form.action + "?" + new URLSearchParams(new FormData(form, submitter));
	let page;
	try {
		const got = await load(url);
		if (got.answer.redirected) return loggedOut();
		page = got.page;
	} catch {
		return unsent();
	}
	const question = page.getElementById("confirm");
	if (!question) {
		location.href = url;
		return;
	}
	dialog().replaceChildren(document.adoptNode(question));
	if (!dialog().open) dialog().showModal();
	dialog().querySelector("input[name=reason]")?.focus();
}

async function send(form, submitter, again = true) {
	if (form.dataset.sending) return;
	form.dataset.sending = "yes";
	try {
		const { answer, page } = await load(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
		await received(form, submitter, answer, page, again);
	} catch {
		unsent();
	} finally {
		delete form.dataset.sending;
	}
}

async function received(form, submitter, answer, page, again) {
	if (answer.headers.get("Holdfast-Form") === "expired" && again) {
		await renew(form);
		delete form.dataset.sending;
		return send(form, submitter, false);
	}
	if (answer.status === 401 && form.id !== "login") return loggedOut();
	banner();
	if (form.closest("dialog")) return answered(form, answer, page);
	show(answer, page);
}

// renew takes a token that the router accepts from a new form of the page.
async function renew(form) {
	const { page } = await load(location.href);
	const token = page.querySelector("input[name=token]");
	if (token) form.elements.token.value = token.value;
}

// answered is what became of a question in the dialog: it stays open with what is
// wrong, or the page behind it is brought up to date.
async function answered(form, answer, page) {
	const question = page.getElementById("confirm");
	if (question) {
		dialog().replaceChildren(document.adoptNode(question));
		dialog().querySelector("[aria-invalid], input[name=reason]")?.focus();
		return;
	}
	dialog().close();
	if (!answer.ok) return show(answer, page);
	saved(page);
	await refresh();
}

function saved(page) {
	document.getElementById("saved")?.remove();
	const note = page.getElementById("saved");
	if (note) document.getElementById("main").prepend(document.adoptNode(note));
}

// show replaces the page by the answer to a form.
function show(answer, page) {
	const main = page.getElementById("main");
	const top = page.querySelector(".top");
	if (!main || !top) {
		location.reload();
		return;
	}
	const from = document.body.dataset.liveFrom;
	document.title = page.title;
	document.getElementById("main").replaceWith(document.adoptNode(main));
	document.querySelector(".top").replaceWith(document.adoptNode(top));
	for (const name of ["liveFrom", "head"]) {
		if (page.body.dataset[name]) document.body.dataset[name] = page.body.dataset[name];
		else delete document.body.dataset[name];
	}
	if (answer.redirected) history.pushState(null, "", answer.url);
	document.dispatchEvent(new CustomEvent("fresh"));
	if (from !== document.body.dataset.liveFrom) restart();
	else document.getElementById("live")?.setAttribute("data-state", "on");
	const wrong = main.querySelector("[aria-invalid=true], .problem, .conflict");
	if (wrong) {
		wrong.scrollIntoView({ block: "center" });
		wrong.focus();
		for (const form of main.querySelectorAll("form")) {
			if (form.contains(wrong)) form.dataset.dirty = "yes";
		}
	} else {
		scrollTo(0, 0);
		main.focus({ preventScroll: true });
	}
}

function unsent() {
	banner("The router cannot be reached: this was not sent, or its answer was lost. What you typed is still here; sending it again is safe.");
}

addEventListener("popstate", () => location.reload());

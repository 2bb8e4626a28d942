// Follows the set that the page shows: each event says at which revision it is.
import { banner, loggedOut, refresh } from "./swap.js";

const patience = 1500; // of a connection that comes back by itself, ms

let source = null;
let lost = 0;
let asked = Promise.resolve();

const poll = 3000; // of pages about what no revision tells, ms

export function follow() {
	setInterval(() => {
		if (!document.hidden && document.querySelector("[data-poll]")) asked = asked.then(catchUp);
	}, poll);
	if (!document.body.dataset.liveFrom) return;
	document.addEventListener("visibilitychange", () => (document.hidden ? leave() : join()));
	addEventListener("pagehide", leave);
	addEventListener("pageshow", join);
	join();
}

// A page nobody looks at holds no connection: a browser has only six for a router.
function leave() {
	source?.close();
	source = null;
	clearTimeout(lost);
	lost = 0;
}

function join() {
	const from = document.body.dataset.liveFrom;
	if (source || !from || document.hidden) return;
	source = new EventSource(from);
	source.addEventListener("head", (event) => {
		connected();
		if (event.data !== document.body.dataset.head) asked = asked.then(catchUp);
	});
	source.onerror = () => {
		if (!lost) lost = setTimeout(disconnected, patience);
		if (source?.readyState === EventSource.CLOSED) retry();
	};
}

// restart follows whatever set the page shows now.
export function restart() {
	leave();
	join();
}

function connected() {
	const was = state();
	clearTimeout(lost);
	lost = 0;
	document.getElementById("live")?.setAttribute("data-state", "on");
	if (was === "lost") {
		banner();
		asked = asked.then(catchUp);
	}
}

function disconnected() {
	if (!source || state() === "lost") return;
	document.getElementById("live")?.setAttribute("data-state", "lost");
	banner(`Connection to the router lost at ${new Date().toLocaleTimeString()}. What you see may be out of date; it goes on by itself.`);
}

function state() {
	return document.getElementById("live")?.getAttribute("data-state");
}

// retry is for what a browser does not do by itself: after an answer that is no stream.
async function retry() {
	source = null;
	try {
		const answer = await fetch(location.href, { credentials: "same-origin", redirect: "manual" });
		if (answer.type === "opaqueredirect" || answer.status === 401) {
			loggedOut();
			setTimeout(join, 5000);
			return;
		}
	} catch {
		// no connection: the next attempt will tell
	}
	setTimeout(join, 1000);
}

async function catchUp() {
	try {
		await refresh();
	} catch {
		// the stream will say that the connection is lost
	}
}

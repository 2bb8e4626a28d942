package browsertest

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// guarded is a router that asks for keys, and where they are kept.
func guarded(t *testing.T) (*host, store.Records) {
	t.Helper()
	h := prepare(t, someFlags)
	keys, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: h.store})
	if err != nil {
		t.Fatal(err)
	}
	h.begin(func(o *router.Options) { o.Policy, o.Records = keys, keys.Records() })
	return h, keys.Records()
}

func makeKey(t *testing.T, r store.Records, k authz.Key) (text, id string) {
	t.Helper()
	text, made, err := authz.CreateKey(t.Context(), r, k)
	if err != nil {
		t.Fatal(err)
	}
	return text, made.ID
}

func (b *tab) login(key string) {
	b.t.Helper()
	b.fill(`#login [name="key"]`, key)
	b.click("#login .primary")
}

// TestKeys: people log in with a key, make others and revoke them.
func TestKeys(t *testing.T) {
	h, records := guarded(t)
	admin, _ := makeKey(t, records, authz.Key{Name: "Ana", Role: authz.Administrator})
	b := h.open(t, "/s/default/flag?key=new-checkout")
	b.expect("401", "422", "403")
	b.shows("h1", "Log in")
	b.login("hf_nonsense")
	b.shows("#key-problem", "not known")
	b.login(admin)
	b.shows("h1", "new-checkout") // where the visit was to lead
	b.until(`document.cookie === ""`)
	b.fill(`#about [name="owner"]`, "shop")
	b.click("#about .primary")
	b.shows("#saved", "revision 2")
	b.shows("#flag-head .facts", "Ana")

	b.visit("/keys")
	b.fill(`#new-key [name="keyname"]`, "night watch")
	b.fill(`#new-key [name="sets"]`, "no/set")
	b.click("#new-key .primary")
	b.shows("#sets-problem", "no/set")
	b.fill(`#new-key [name="sets"]`, "default")
	b.click("#new-key .primary")
	b.shows("#key", "hf_")
	reader := strings.TrimSpace(b.text("#key"))
	b.shows("#keys", "night watch")
	b.visit("/keys")
	b.until(`document.querySelector("#key") === null && !document.body.textContent.includes(` + quote(reader) + `)`)

	b.click(".end button") // log out
	b.shows("h1", "Log in")
	b.login(reader)
	b.shows("h1", "Flags")
	b.until(`document.querySelector(".tabs a[href='/keys']") === null && document.querySelector("#list .switch").disabled`)
	b.visit("/keys")
	b.shows("h1", "Not allowed")
}

// TestExpiredSession: a key that is revoked ends its sessions at once; what was
// typed stays, and can be sent after another login.
func TestExpiredSession(t *testing.T) {
	h, records := guarded(t)
	first, id := makeKey(t, records, authz.Key{Name: "Ana", Role: authz.Editor})
	second, _ := makeKey(t, records, authz.Key{Name: "Ana again", Role: authz.Editor})
	b := h.open(t, "/login?next=%2Fs%2Fdefault%2Fflag%3Fkey%3Dnew-checkout")
	b.expect("401", "MIME", "ERR_")
	b.login(first)
	b.shows("h1", "new-checkout")
	b.fill(`#about [name="owner"]`, "typed before")
	if _, err := authz.RevokeKey(t.Context(), records, id, "somebody"); err != nil {
		t.Fatal(err)
	}
	b.shows("#banner", "Your session has ended")
	b.click("#about .primary")
	b.shows("#banner", "what you typed is still here")
	b.until(`document.querySelector('#about [name="owner"]').value === "typed before"`)
	if d := h.definition("new-checkout"); strings.Contains(string(d.Field("metadata")), "typed before") {
		t.Fatal("a revoked key has changed something")
	}
	// As the link of the banner does, in another tab.
	b.eval(`fetch("/login").then((r) => r.text()).then((text) => fetch("/login", { method: "POST", body: new URLSearchParams({ key: `+quote(second)+`, token: new DOMParser().parseFromString(text, "text/html").querySelector("[name=token]").value }) })).then(() => { window.again = true; })`, nil)
	b.until("window.again === true")
	b.click("#about .primary")
	b.shows("#saved", "revision 2")
	b.shows("#flag-head .facts", "typed before")
	commits, err := h.store.Commits(t.Context(), "default", flags.Version{Revision: 2}, flags.Version{Revision: 2}, 1)
	if err != nil || len(commits) != 1 || commits[0].Actor.ID != "Ana again" {
		t.Errorf("commits %v, %v", commits, err)
	}
}

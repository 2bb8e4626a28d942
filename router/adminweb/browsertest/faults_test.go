package browsertest

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestConflict: of two who change the same flag neither overwrites the other; the
// second sees both versions, and what was typed stays.
func TestConflict(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flag?key=new-checkout")
	b.expect("409")
	b.fill(`#about textarea[name="description"]`, "What I have to say of it")
	h.edit("Ben", "new-checkout", func(d flags.Definition) flags.Definition { return d.WithDefaultVariant("on") })
	b.shows("#about .stale", "Somebody has changed this")
	b.shows("#default .badge, #variants .badge", "default")
	b.click("#about .primary")
	b.shows(".conflict", "Ben")
	b.shows(".conflict .minus", `"defaultVariant": "off"`)
	b.shows(".conflict .plus", "What I have to say of it")
	b.until(`document.querySelector('#about textarea[name="description"]').value === "What I have to say of it"`)
	if d := h.definition("new-checkout"); d.Description() == "What I have to say of it" {
		t.Fatal("the change of the second was made")
	}
	b.click("#about .primary") // to the version that is shown now
	b.shows("#saved", "revision 3")
	d := h.definition("new-checkout")
	if name, _ := d.DefaultVariant(); name != "on" || d.Description() != "What I have to say of it" {
		t.Errorf("one of the changes was lost: %s", d)
	}
}

// TestUnrelatedChange: somebody who is filling in forms is not told of a change to this
// when it was to something else.
func TestUnrelatedChange(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flag?key=new-checkout")
	b.fill(`#about textarea[name="description"]`, "What I have to say of it")
	b.fill(`#rollout [data-weight]`, "70")
	b.fill("#targeting textarea", `when plan = "pro" serve on`)
	b.shows("#rule-checked", "column 11")
	h.edit("Ben", "beta-reports", func(d flags.Definition) flags.Definition { return d.WithEnabled(!d.Enabled()) })
	b.until(`document.body.dataset.head === "0.2"`)
	if told := b.text(".stale"); told != "" {
		t.Errorf("the page says %q", told)
	}
	b.until(`document.querySelector('#about textarea[name="description"]').value === "What I have to say of it"`)
	h.edit("Ben", "new-checkout", func(d flags.Definition) flags.Definition { return d.WithDefaultVariant("on") })
	b.shows("#about .stale", "Somebody has changed this")
}

// TestLostConnection: a page says that its router is gone, keeps what was typed, and
// goes on by itself when the router is back.
func TestLostConnection(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flag?key=new-checkout")
	b.expect("ERR_", "403") // of connections, and of the token of the router that was
	b.fill(`#about input[name="owner"]`, "a new owner")
	h.stop()
	b.shows("#banner", "Connection to the router lost")
	b.click("#about .primary")
	b.shows("#banner", "cannot be reached")
	b.until(`document.querySelector('#about input[name="owner"]').value === "a new owner"`)
	h.edit("Ben", "beta-reports", func(d flags.Definition) flags.Definition { return d.WithEnabled(false) })
	h.start(nil)
	b.until(`document.getElementById("live").dataset.state === "on" && document.getElementById("banner").hidden`)
	b.shows("#revision", "2")
	b.click("#about .primary")
	b.shows("#saved", "revision 3")
	b.shows("#flag-head .facts", "a new owner")
}

const evil = `"><script>xss=1</script><img src=x onerror=xss=2>'{{.}}${xss=3}`

// TestHostileTexts: nothing that anybody wrote anywhere runs, on any page.
func TestHostileTexts(t *testing.T) {
	q := quote(evil)
	h := serve(t, `{"metadata":{`+q+`:`+q+`},"$evaluators":{`+q+`:{"==":[{"var":`+q+`},`+q+`]}},"flags":{`+q+`:{"description":`+q+`,
		"metadata":{"owner":`+q+`,"tags":`+q+`,"kind":"release"},"state":"ENABLED","variants":{`+q+`:`+q+`,"b":"x"},"defaultVariant":`+q+`,
		"targeting":{"if":[{"$ref":`+q+`},`+q+`,{"==":[{"var":`+q+`},`+q+`]},"b"]},"x-overrides":{`+q+`:`+q+`}}}}`, nil)
	if _, err := h.store.Apply(t.Context(), flags.Commit{Set: "staging", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		t.Fatal(err)
	}
	if _, err := h.store.Apply(t.Context(), flags.Commit{
		Set: "default", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: evil, ID: evil, Via: evil}, Reason: evil, Address: evil,
		Changes: []flags.Mutation{{Key: flags.FlagKey(evil), Bytes: h.definition(evil).WithEnabled(false).Bytes()}},
	}); err != nil {
		t.Fatal(err)
	}
	b := h.open(t, "/")
	b.expect("404", "400", "422")
	key := urlEscape(evil)
	for _, path := range []string{
		"/s/default/flags", "/s/default/flags?q=" + key, "/s/default/flags?tag=" + key + "&owner=" + key + "&kind=" + key + "&state=" + key,
		"/s/default/flag?key=" + key, "/s/default/flag?as=json&key=" + key, "/s/default/switch?to=default&key=" + key, "/s/default/switch?to=" + key + "&key=" + key + "&variant=" + key,
		"/s/default/history", "/s/default/commit?at=0.2", "/s/default/commit?at=" + key,
		"/s/default/flags?revision=1", "/s/default/flag?revision=1&key=" + key, "/s/default/flags?revision=" + key, "/s/default/rollback?to=1", "/s/default/rollback?to=" + key, "/s/default/segments",
		"/s/default/entity?id=" + key, "/s/default/entity?id=" + key + "&context=" + key, "/s/default/playground?key=" + key + "&context=" + urlEscape(`{"targetingKey":`+q+`}`),
		"/s/default/playground?key=" + key + "&context=" + key, "/sets", "/sets/compare?from=default&to=staging", "/health", "/login?next=" + key, "/s/" + key + "/flags", "/" + key,
	} {
		b.visit(path)
		var ran bool
		b.eval(`typeof xss !== "undefined" || document.querySelector("main img, main script") !== null`, &ran)
		if ran {
			t.Errorf("%s runs what somebody wrote", path)
		}
	}
	b.visit("/s/default/flag?key=" + key)
	for name, value := range map[string]string{"#about [name=description]": evil, "#about [name=owner]": evil, "#about [name=tags]": evil} {
		b.fill(name, value+" again")
	}
	b.fill(`#about [name="reason"]`, evil)
	b.fill(`#about [name="name"]`, "me"+evil)
	b.click("#about .primary")
	b.shows("#saved", "revision 3")
	b.shows("#history .why", evil)
	var ran bool
	b.eval(`typeof xss !== "undefined" || document.querySelector("main img, main script") !== null`, &ran)
	if ran {
		t.Error("a form runs what was typed")
	}
}

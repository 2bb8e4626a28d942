package browsertest

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestFlagForms: everything about a flag is changed from its page.
func TestFlagForms(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flag?key=new-checkout")
	b.expect("422")

	// Sliders sum to 100, typed numbers are held to it.
	b.eval(`{ const s = document.querySelectorAll("[data-slider]")[1]; s.value = 25; s.dispatchEvent(new Event("input", { bubbles: true })); }`, nil)
	b.until(`[...document.querySelectorAll("[data-weight]")].map((w) => w.value).join() === "75,25"`)
	b.fill(`#rollout [data-weight]`, "70")
	b.shows("#rollout .sum", "95")
	b.click("#rollout .primary")
	b.shows("#weight-problem", "sum to 95 %")
	b.fill(`#rollout [data-weight]`, "75")
	b.click("#rollout .primary")
	b.shows("#saved", "revision 2")
	b.until(`document.querySelectorAll("#rollout .bar rect").length === 2`)
	if shares, _, ok := h.definition("new-checkout").Rollout(); !ok || shares[1] != (flags.Share{Variant: "on", Weight: 25}) {
		t.Errorf("rolled out as %v", shares)
	}

	// A rule is checked while it is typed, and says where it is wrong.
	b.fill("#targeting textarea", `when plan = "pro" serve on`)
	b.shows("#rule-checked", "Line 1, column 11")
	b.fill("#targeting textarea", `when plan == "pro" serve maybe`)
	b.shows("#rule-checked", "maybe")
	b.fill("#targeting textarea", `when country == "NZ" && plan == "pro" serve on = 25, off = 75`)
	b.shows("#rule-checked.fine", "can be saved")
	b.click("#targeting .primary")
	b.shows("#saved", "revision 3")
	b.until(`document.querySelector("#targeting textarea").value.includes('when country == "NZ"')`)

	b.fill(`#variants [name="new-name"]`, "maybe")
	b.fill(`#variants [name="new-value"]`, `"text"`)
	b.click("#variants .primary")
	b.shows("#new-value-problem", "boolean")
	b.fill(`#variants [name="new-value"]`, "true")
	b.click("#variants .primary")
	b.shows("#saved", "revision 4")

	b.fill(`#overrides [name="entity"]`, "tenant\u202e1")
	b.click("#overrides form:last-of-type .primary")
	b.shows("#entity-problem", "U+202E")
	b.fill(`#overrides [name="entity"]`, "tenant-1")
	b.eval(`document.querySelector('#overrides select[name="variant"]').value = "on"`, nil)
	b.click("#overrides form:last-of-type .primary")
	b.shows("#overrides table", "tenant-1")
	if got := flags.OverrideVariant(h.entry(flags.OverrideKey("new-checkout", "tenant-1"))); got != "on" {
		t.Errorf("tenant-1 gets %q", got)
	}
	b.click(`#overrides button[aria-label="Clear the override of tenant-1"]`)
	b.shows("#overrides", "None")

	b.fill(`#about [name="expires"]`, "some day")
	b.click("#about .primary")
	b.shows("#expires-problem", "2027-03-31")

	// One click takes the newest change of the flag back.
	b.visit("/s/default/flag?key=new-checkout")
	b.eval(`[...document.querySelectorAll("#history button")].find((x) => x.textContent === "Revert").click()`, nil)
	b.shows("#saved", "revision 7")
	if _, ok := h.definition("new-checkout").Variant("maybe"); ok {
		t.Error("the new variant is still there")
	}

	b.eval(`document.querySelectorAll("#definition details")[1].open = true`, nil)
	b.fill(`#definition [name="confirm"]`, "new-checkout")
	b.click("#definition .danger")
	b.shows("#flag-head .badge", "deleted")
	b.eval(`document.querySelector("#history button").click()`, nil)
	b.shows("#flag-head .state", "Enabled")
}

// TestNewFlag: a flag is made, and what is wrong is said at its field.
func TestNewFlag(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/new")
	b.expect("422")
	b.fill(`#new [name="key"]`, "new-checkout")
	b.click("#new .primary")
	b.shows("#key-problem", "already")
	b.fill(`#new [name="key"]`, "greeting")
	b.eval(`document.querySelector("#new [name=type]").value = "string"`, nil)
	b.fill(`#new [name="variants"]`, "plain = Hello\nwarm = Good to see you")
	b.click("#new .primary")
	b.shows("#default-problem", `no variant "off"`)
	b.until(`document.querySelector("#new [name=variants]").value.includes("Good to see you")`)
	b.fill(`#new [name="default"]`, "plain")
	b.click("#new .primary")
	b.shows("h1", "greeting")
	b.shows("#saved", "revision 2")
}

// TestEntityAndPlayground: what somebody gets and why, and a variant of its own.
func TestEntityAndPlayground(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/entity")
	b.fill("#search", "tenant-9")
	b.shows(`tr[data-key="new-checkout"]`, "STATIC")
	b.eval(`{ const f = document.querySelector('tr[data-key="new-checkout"] form'); f.elements.variant.value = "on"; f.querySelector("button").click(); }`, nil)
	b.shows(`tr[data-key="new-checkout"]`, "override")
	if got := flags.OverrideVariant(h.entry(flags.OverrideKey("new-checkout", "tenant-9"))); got != "on" {
		t.Errorf("tenant-9 gets %q", got)
	}
	b.eval(`{ const f = document.querySelector('tr[data-key="new-checkout"] form'); f.elements.variant.value = ""; f.querySelector("button").click(); }`, nil)
	b.shows(`tr[data-key="new-checkout"]`, "STATIC")

	b.visit("/s/default/playground")
	b.fill(`#play [name="key"]`, "free-shipping-from")
	b.fill(`#play [name="context"]`, `{"plan":"pro","country":"FR"}`)
	b.click("#play .primary")
	b.shows("#answer .answer", "20")
	b.shows("#answer .steps li:last-child", `plan = "pro"`)
	b.shows("#curl", "/ofrep/v1/evaluate/flags/free-shipping-from")
	b.shows("#ctl", "flagctl --set default eval free-shipping-from")
	b.expect("422")
	b.fill(`#play [name="context"]`, `{"plan":`)
	b.click("#play .primary")
	b.shows("#context-problem", "")
	b.until(`document.querySelector("#play [name=context]").value === '{"plan":'`)
}

// TestSegments: a segment is made, changed and, while a flag needs it, not deleted.
func TestSegments(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/segments")
	b.fill(`#new-segment [name="segment"]`, "kiwis")
	b.fill(`#new-segment [name="rule"]`, `country == "NZ"`)
	b.click("#new-segment .primary")
	b.shows("#segment-kiwis", "Not used by any flag")
	b.fill("#segment-kiwis textarea", `country in ["NZ", "AU"]`)
	b.click("#segment-kiwis .primary")
	b.until(`document.querySelector("#segment-kiwis textarea").value.includes("AU")`)
	b.shows("#saved", "revision 3")
	b.shows("#segment-beta", "beta-reports")
	b.until(`document.querySelector("#segment-beta .danger") === null`)
	b.click("#segment-kiwis .danger")
	b.until(`document.querySelector("#segment-kiwis") === null`)
}

// TestSets: a set is made, compared and promoted to.
func TestSets(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/sets")
	b.expect("422")
	b.fill(`input[name="set"]`, "no spaces, please")
	b.click(`form[action="/sets"] .primary`)
	b.shows("#set-problem", "a-z")
	b.fill(`input[name="set"]`, "staging")
	b.click(`form[action="/sets"] .primary`)
	b.shows("main", "No flags yet")
	b.visit("/sets/compare?from=default&to=staging")
	b.shows("main", `flag "new-checkout" created`)
	b.eval(`document.querySelectorAll("input[name=entry]").forEach((c) => { c.checked = c.value.endsWith("new-checkout"); })`, nil)
	b.click("form .primary")
	b.shows("#saved", "revision 2")
	b.visit("/s/staging/flags")
	b.until(`document.querySelectorAll("#list tr[data-key]").length === 1`)
}

// TestHistory: the history of the set leads to each commit, to the set as it was, and
// back to it: after a question, and not past what somebody changed meanwhile.
func TestHistory(t *testing.T) {
	h := serve(t, someFlags, nil)
	history(h)
	b := h.open(t, "/s/default/history")
	b.expect("409")
	b.shows("#commits", "default off -> on")
	b.click("#commits tbody tr:last-child a")
	b.shows("h1", "Revision 1")
	b.shows("main", `flag "search-ranking" created`)

	b.visit("/s/default/history")
	b.click(`#commits a[aria-label="The set at revision 1"]`)
	b.shows("#past", "Revision 1")
	b.click(`tr[data-key="new-checkout"] .key`)
	b.shows("#past", "Revision 1")
	b.until(`document.querySelector("#default input:checked").value === "off" && document.querySelectorAll("main form .primary").length === 0 && document.querySelector("#flag-head .switch").disabled`)

	b.click("#past .button:not(.primary)")
	b.shows("h1", "Roll back to revision 1")
	b.shows(".difference", "new-checkout: default on -> off")
	b.fill(`#rollback [name="reason"]`, "the launch was too early")
	h.edit("Ben", "beta-reports", func(d flags.Definition) flags.Definition { return d.WithEnabled(false) })
	b.click("#rollback .primary")
	b.shows(".conflict", "Ben")
	b.shows(".conflict", "beta-reports: state ENABLED -> DISABLED")
	b.until(`document.querySelector("#rollback [name=reason]").value === "the launch was too early"`)
	if name, _ := h.definition("new-checkout").DefaultVariant(); name != "on" {
		t.Fatal("it was rolled back in spite of the conflict")
	}
	b.shows(".difference", "beta-reports: state DISABLED -> ENABLED")
	b.click("#rollback .primary")
	b.shows("#saved", "revision 6")
	b.shows("#commits tbody tr:first-child", "the launch was too early")
	if name, _ := h.definition("new-checkout").DefaultVariant(); name != "off" || !h.definition("beta-reports").Enabled() {
		t.Error("the set is not what it was")
	}
}

package browsertest

import (
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

const someFlags = `{"metadata":{"team":"shop"},"$evaluators":{"beta":{"in":[{"var":"targetingKey"},["t1","t2"]]}},"flags":{
"new-checkout":{"description":"The one-page checkout, behind a flag until the winter release","metadata":{"owner":"checkout","tags":"web, money","kind":"release","expires":"2027-03-31"},"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"},
"search-ranking":{"description":"A quarter of all tenants get the new ranking","metadata":{"owner":"search","tags":"web, ml","kind":"experiment"},"state":"ENABLED","variants":{"classic":"v1","neural":"v2"},"defaultVariant":"classic","targeting":{"fractional":[["neural",25],["classic",75]]}},
"free-shipping-from":{"description":"Order value from which shipping is free, by country and plan","metadata":{"owner":"checkout","tags":"money","kind":"permission","permanent":true},"state":"ENABLED","variants":{"default":50,"pro":20,"nearby":0},"defaultVariant":"default","targeting":{"if":[{"in":[{"var":"country"},["NZ","AU"]]},"nearby",{"==":[{"var":"plan"},"pro"]},"pro"]}},
"mobile-home":{"description":"Layout of the first screen, by version of the app","metadata":{"owner":"mobile","kind":"experiment","tags":"ios, android"},"state":"ENABLED","variants":{"list":{"layout":"list","columns":1},"grid":{"layout":"grid","columns":2}},"defaultVariant":"list","targeting":{"if":[{"sem_ver":[{"var":"appVersion"},">=","4.2.0"]},"grid"]},"x-overrides":{"tenant-42":"grid","tenant-7":"list"}},
"maintenance-banner":{"description":"Text at the top of every page while we work on something","metadata":{"owner":"platform","kind":"ops","permanent":true},"state":"DISABLED","variants":{"none":"","tonight":"We are down for maintenance from 22:00 to 22:15 UTC."},"defaultVariant":"tonight"},
"beta-reports":{"description":"Reports for those who try things early","metadata":{"owner":"reports","tags":"web","kind":"release","expires":"2026-01-31"},"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"$ref":"beta"},"on"]}}
}}`

// TestSwitch: a flag is switched in its list, after a question and with a reason,
// and the list shows it.
func TestSwitch(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/")
	b.click(`tr[data-key="new-checkout"] .switch`)
	b.shows("#dialog h1", "Disable new-checkout")
	b.fill(`#dialog input[name="reason"]`, "too many errors")
	b.fill(`#dialog input[name="name"]`, "ana")
	b.click("#dialog .primary")
	b.shows("#saved", "revision 2")
	b.until(`document.querySelector('tr[data-key="new-checkout"] .switch').getAttribute("aria-checked") === "false"`)
	b.shows(`tr[data-key="new-checkout"] td:last-child`, "ana")
	if h.definition("new-checkout").Enabled() {
		t.Error("the page says so, the store does not")
	}
	b.click(`tr[data-key="new-checkout"] .switch`) // and back
	b.shows("#dialog h1", "Enable new-checkout")
	b.click("#dialog .primary")
	b.until(`document.querySelector('tr[data-key="new-checkout"] .switch').getAttribute("aria-checked") === "true"`)
	b.click(`tr[data-key="new-checkout"] .flip`)
	b.shows("#dialog h1", "Change the default")
	b.click("#dialog .primary")
	b.shows(`tr[data-key="new-checkout"] .serves`, "on")
}

// TestSearchAndKeys: typing narrows the list, keys move in it.
func TestSearchAndKeys(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flags")
	b.press("/")
	b.until(`document.activeElement.id === "search"`)
	b.fill("#search", "shipping")
	b.until(`document.querySelectorAll("#list tr[data-key]").length === 1 && document.activeElement.id === "search"`)
	b.until(`location.search === "?q=shipping"`)
	b.fill("#search", "")
	b.until(`document.querySelectorAll("#list tr[data-key]").length === 6`)
	b.eval(`document.activeElement.blur()`, nil)
	b.press("j")
	b.press("j")
	b.press("k")
	b.press("j")
	b.until(`document.activeElement.closest("tr").dataset.key === "free-shipping-from"`)
	b.press("\r")
	b.shows("h1", "free-shipping-from")
}

// TestOthers: what somebody else changes appears by itself, and the focus stays.
func TestOthers(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flags")
	b.press("j")
	b.press("j")
	h.edit("ben", "new-checkout", func(d flags.Definition) flags.Definition { return d.WithEnabled(false) })
	b.until(`document.querySelector('tr[data-key="new-checkout"] .switch').getAttribute("aria-checked") === "false"`)
	b.shows(`tr[data-key="new-checkout"] td:last-child`, "ben")
	b.shows("#revision", "2")
	b.until(`document.activeElement.closest("tr")?.dataset.key === "free-shipping-from"`)
}

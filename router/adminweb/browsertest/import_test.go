package browsertest

import "testing"

// TestImport: a file that is pasted is shown as what it would change, and is one commit
// once that is confirmed.
func TestImport(t *testing.T) {
	h := serve(t, someFlags, nil)
	b := h.open(t, "/s/default/flags")
	b.click(`a[href="/s/default/import"]`)
	b.shows("h1", "Import into default")
	b.until(`!document.querySelector("[data-file]").hidden`)
	b.fill("#import-text", `{"flags":{"fresh":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}`)
	b.click(`button[value="show"]`)
	b.shows("#preview h2", "1 change")
	b.shows(".difference h2", `flag "fresh" created`)
	b.fill(`#preview input[name="reason"]`, "moved in")
	b.fill(`#preview input[name="name"]`, "ana")
	b.click(`button[value="import"]`)
	b.shows("#saved", "revision 2")
	if !h.definition("fresh").Enabled() {
		t.Error("the page says so, the store does not")
	}
}

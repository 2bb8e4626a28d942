package restapi_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/restapi"
)

// FuzzBody: whatever is sent, it is taken whole, or refused with a problem and nothing
// has changed.
func FuzzBody(f *testing.F) {
	asks := []struct{ method, path, media string }{
		{"PUT", "/flags/a", jsonType}, {"PATCH", "/flags/a", restwire.MergePatchType}, {"PUT", "/evaluators/e", jsonType},
		{"PUT", "/overrides/x/a", jsonType}, {"POST", "/import?prune", jsonType}, {"POST", "/import", "application/yaml"}, {"POST", "/rollback", jsonType},
	}
	for i, seed := range []string{
		on, `{"state":null,"variants":{"on":null}}`, `{"in":["a",{"var":"b"}]}`, `{"variant":"on"}`, `{"flags":{"a":` + on + `}}`,
		"flags:\n  a: &x {variants: {v: 1}}\n  b: *x\n", `{"revision":"1","flags":["a"]}`, "", "null", "[]", "{", `"\ud800"`, "1e999", "\xff",
	} {
		f.Add(uint8(i), seed)
	}
	f.Fuzz(func(t *testing.T, which uint8, body string) {
		r := newRig(t, restapi.Options{})
		r.create("shop")
		r.write("shop", "a")
		x := asks[int(which)%len(asks)]
		w := r.ask(x.method, shop+x.path, body, "Content-Type", x.media)
		if w.Code < 300 {
			cp, err := r.mem.Fetch(t.Context(), "shop", flags.Head{Set: "shop"})
			if err != nil || cp.Head.Token().String() != w.Header().Get("Holdfast-Revision") {
				t.Errorf("%+v with %q: %s, at %s: %v", x, body, w.Body, cp.Head.Token(), err)
			}
			return
		}
		p := problemOf(t, w)
		if w.Code >= 500 || r.revision() != 2 {
			t.Errorf("%+v with %q: %d %s, at revision %d", x, body, w.Code, w.Body, r.revision())
		}
		for _, e := range p.Errors {
			if e.Pointer != "" && !strings.HasPrefix(e.Pointer, "#") || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%+v with %q: %+v", x, body, e)
			}
		}
	})
}

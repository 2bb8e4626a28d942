package ofrep_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
)

// FuzzBody: whatever the body, both endpoints answer what the protocol has, in JSON,
// and take or refuse it alike.
func FuzzBody(f *testing.F) {
	r, _ := filledRig(f)
	for _, seed := range []string{
		``, `{}`, `null`, `{"context":null}`, `{"context":{"targetingKey":"tenant-42","plan":"pro"}}`, `{"context":{"geo":{"country":"NZ"}}}`,
		`{"context":[]}`, `{"context":{"a":1e999}}`, `{"context":{"a":"\ud800"}}`, "\xff", `[[[[`, `{"context":{"a":1,"a":2}}`, `{}{}`, `{"context":{"plan":["pro"]}}`,
	} {
		f.Add([]byte(seed), "rule")
		f.Add([]byte(seed), "over")
	}
	f.Fuzz(func(t *testing.T, body []byte, key string) {
		one := record(r, newFuzzRequest(t, bulk+"/", key, body))
		all := record(r, newFuzzRequest(t, bulk, "", body))
		for _, w := range []int{one.Code, all.Code} {
			if !slices.Contains([]int{200, 400, 404, 413}, w) {
				t.Fatalf("%d for %q", w, body)
			}
		}
		if !json.Valid(one.Body.Bytes()) || !json.Valid(all.Body.Bytes()) {
			t.Fatalf("not JSON: %s and %s", one.Body, all.Body)
		}
		if refused := all.Code != http.StatusOK; refused && key != "" && one.Code != all.Code {
			t.Fatalf("%q: %d alone, %d among all", body, one.Code, all.Code)
		}
		if all.Code != http.StatusOK || one.Code != http.StatusOK || key == "" || key == "/" {
			return
		}
		list, single := decode[answers](t, all, 200), decode[result](t, one, 200)
		among := list.find(key)
		if among == nil || among.Reason != single.Reason {
			t.Fatalf("%q %q: %+v alone, %+v among all", key, body, single, among)
		}
	})
}

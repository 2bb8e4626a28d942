package evalsvc_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

const boolean = "/flagd.evaluation.v2.Service/ResolveBoolean"

// TestBadInput: each is told what is wrong, by the right status.
func TestBadInput(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	good := `{"flagKey":"on"}`
	for _, c := range []struct {
		name, path, contentType, body string
		header                        []string
		status                        int
		want                          string
	}{
		{"nothing wrong", boolean, "application/json", good, nil, 200, `"value":true`},
		{"with a charset", boolean, "application/json; charset=utf-8", good, nil, 200, `"value":true`},
		{"null context", boolean, "application/json", `{"flagKey":"on","context":null}`, nil, 200, `"value":true`},
		{"no flag", boolean, "application/json", `{}`, nil, 404, `"code":"not_found"`},
		{"unknown method", "/flagd.evaluation.v2.Service/ResolveNothing", "application/json", good, nil, 404, ""},
		{"unknown service", "/flagd.evaluation.v9.Service/ResolveBoolean", "application/json", good, nil, 404, ""},
		{"wrong content type", boolean, "text/plain", good, nil, 415, ""},
		{"stream type on a unary method", boolean, "application/connect+json", good, nil, 415, ""},
		{"no JSON", boolean, "application/json", `{"flagKey":`, nil, 400, `"code":"invalid_argument"`},
		{"no protobuf", boolean, "application/proto", "\xff\xff\xff", nil, 400, `"code":"invalid_argument"`},
		{"key of another type", boolean, "application/json", `{"flagKey":1}`, nil, 400, `"code":"invalid_argument"`},
		{"context of another type", boolean, "application/json", `{"flagKey":"on","context":[1]}`, nil, 400, `"code":"invalid_argument"`},
		{"large body", boolean, "application/json", `{"flagKey":"` + strings.Repeat("a", 1_000_000) + `"}`, nil, 429, `"code":"resource_exhausted"`},
		{"unknown selector", boolean, "application/json", good, []string{"Flagd-Selector", "x=y"}, 400, `invalid selector key \"x\", valid keys: \"flagSetId\", \"source\"`},
		{"unknown set", boolean, "application/json", good, []string{"Flagd-Selector", "flagSetId=none"}, 404, `"code":"not_found"`},
		{"bad token", boolean, "application/json", good, []string{"Holdfast-Revision", "yesterday"}, 400, `"code":"invalid_argument"`},
		{"bad credentials", boolean, "application/json", good, []string{"Authorization", "Basic"}, 401, `"code":"unauthenticated"`},
		{"large header", boolean, "application/json", good, []string{"X-Large", strings.Repeat("a", 128<<10)}, 431, ""},
	} {
		status, text := r.post(h1(t), c.path, c.contentType, []byte(c.body), c.header...)
		if status != c.status || !strings.Contains(strings.ReplaceAll(text, `": `, `":`), c.want) {
			t.Errorf("%s: %d %.200s, want %d %s", c.name, status, text, c.status, c.want)
		}
	}
	res, err := h1(t).Get(r.url + boolean)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", res.StatusCode)
	}
}

// FuzzJSON: whatever the body, an answer in JSON and a status that fits.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"flagKey":"on"}`, `{"flagKey":"pro","context":{"user":{"plan":"pro"},"tags":["x"]}}`, `{"flagKey":"mine","context":{"targetingKey":7}}`,
		`[]`, `null`, `{"context":{"a":[[[[{}]]]]}}`, "{\"flagKey\":\"\\ud800\"}", `{"flagKey":"on","flagKey":"on"}`, ``,
	} {
		f.Add([]byte(seed))
	}
	r := serve(f, evaluator.Options{}, evalsvc.Options{})
	client := h1(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		of := *r // a fuzz target must not use what is around it
		of.t = t
		status, text := of.post(client, boolean, "application/json", body)
		if !json.Valid([]byte(text)) || status != 200 && status != 400 && status != 404 {
			t.Errorf("%q: %d %q", body, status, text)
		}
	})
}

package restapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

const (
	jsonType = "application/json"
	shop     = "/api/v1/sets/shop"
)

// put sends a body in JSON.
func (r *rig) put(path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.ask(http.MethodPut, path, body, append([]string{"Content-Type", jsonType}, headers...)...)
}

// want checks a status and returns the answer.
func (r *rig) want(status int, w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	r.t.Helper()
	if w.Code != status {
		r.t.Fatalf("%d %s, want %d", w.Code, w.Body, status)
	}
	return w
}

func (r *rig) revision() uint64 {
	r.t.Helper()
	head, err := r.mem.Head(r.t.Context(), "shop")
	if err != nil {
		r.t.Fatal(err)
	}
	return head.Revision
}

func (r *rig) last() flags.Commit {
	r.t.Helper()
	v := flags.Version{Revision: r.revision()}
	commits, err := r.mem.Commits(r.t.Context(), "shop", v, v, 1)
	if err != nil || len(commits) != 1 {
		r.t.Fatal(commits, err)
	}
	return commits[0]
}

func TestFlag(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	w := r.want(201, r.put(shop+"/flags/a?reason=because", on))
	tag, token := w.Header().Get("ETag"), w.Header().Get("Holdfast-Revision")
	if c := r.last(); c.Reason != "because" || c.Actor.Via != "rest" || c.Head().Token().String() != token || !strings.HasPrefix(tag, `"0.2~`) {
		t.Errorf("%+v, %s, %s", c, tag, token)
	}
	w = r.want(200, r.get(shop+"/flags/a", "Holdfast-Revision", token))
	if w.Body.String() != on+"\n" || w.Header().Get("ETag") != tag || w.Header().Get("Holdfast-Revision") != token {
		t.Errorf("got %s %v", w.Body, w.Header())
	}
	r.want(304, r.get(shop+"/flags/a", "If-None-Match", "W/"+tag))
	if w := r.want(200, r.put(shop+"/flags/a", on)); w.Header().Get("ETag") != tag || r.revision() != 2 {
		t.Errorf("writing what is there: %s %v", w.Body, w.Header())
	}
	r.want(201, r.put(shop+"/flags/other", on)) // what happens to others does not matter to this one
	w = r.want(200, r.ask("PATCH", shop+"/flags/a", `{"defaultVariant":"off","description":"new"}`, "Content-Type", "application/merge-patch+json", "If-Match", tag))
	if got := r.get(shop + "/flags/a").Body.String(); got != `{"defaultVariant":"off","description":"new","state":"ENABLED","variants":{"off":false,"on":true}}`+"\n" {
		t.Errorf("patched: %s", got)
	}
	if w.Header().Get("ETag") == tag {
		t.Error("the tag did not change")
	}
	for _, method := range []string{"PUT", "PATCH", "DELETE"} {
		body := on
		if method == "DELETE" {
			body = ""
		}
		w := r.want(412, r.ask(method, shop+"/flags/a", body, "Content-Type", jsonType, "If-Match", tag))
		if p := problemOf(t, w); !strings.HasSuffix(p.Type, "#changed") || p.Token == "" {
			t.Errorf("%s: %+v", method, p)
		}
	}
	r.want(412, r.put(shop+"/flags/a", on, "If-None-Match", "*"))
	r.want(412, r.put(shop+"/flags/none", on, "If-Match", "*"))
	r.want(201, r.put(shop+"/overrides/tenant-42/a", `{"variant":"on"}`))
	r.want(200, r.ask("DELETE", shop+"/flags/a", ""))
	if c := r.last(); len(c.Changes) != 2 {
		t.Errorf("deleted %+v, want the flag with its override", c.Changes)
	}
	for _, method := range []string{"GET", "DELETE", "PATCH"} {
		body := ""
		if method == "PATCH" {
			body = "{}"
		}
		if p := problemOf(t, r.want(404, r.ask(method, shop+"/flags/a", body, "Content-Type", jsonType))); !strings.HasSuffix(p.Type, "#no-such-entry") {
			t.Errorf("%s: %+v", method, p)
		}
	}
	if p := problemOf(t, r.want(404, r.put("/api/v1/sets/none/flags/a", on))); !strings.HasSuffix(p.Type, "#not-found") {
		t.Errorf("%+v", p)
	}
}

func problemOf(t testing.TB, w *httptest.ResponseRecorder) restwire.Problem {
	t.Helper()
	p, ok := restwire.ParseProblem(w.Header().Get("Content-Type"), w.Body.Bytes())
	if !ok || p.Status != w.Code {
		t.Fatalf("%d %s is no problem", w.Code, w.Body)
	}
	return p
}

// TestNames: every name that the store takes can be asked for.
func TestNames(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	for _, name := range []string{"a", "a/b", "a b", "ä/ö?#%", "..", ".", "%2F", "flags", "a+b"} {
		at := shop + "/flags/" + escaped(name)
		r.want(201, r.put(at, on))
		r.want(200, r.get(at))
		over := shop + "/overrides/" + escaped(name) + "/" + escaped(name)
		r.want(201, r.put(over, `{"variant":"on"}`))
		if w := r.want(200, r.get(over)); w.Body.String() != `{"variant":"on"}`+"\n" {
			t.Errorf("%q: %s", name, w.Body)
		}
		if c := r.last(); c.Changes[0].Key != flags.OverrideKey(name, name) {
			t.Errorf("%q was written as %s", name, c.Changes[0].Key)
		}
		r.want(200, r.ask("DELETE", over, ""))
		r.want(200, r.ask("DELETE", at, ""))
	}
}

// escaped is a name as one step of a path. Steps of dots would be taken for folders.
func escaped(name string) string {
	return strings.ReplaceAll(url.PathEscape(name), ".", "%2E")
}

func TestEvaluator(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.want(201, r.put(shop+"/evaluators/beta", `{"in": ["@example.com", {"var": "email"}]}`))
	uses := `{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"$ref":"beta"},"on"]}}`
	r.want(201, r.put(shop+"/flags/a", uses))
	p := problemOf(t, r.want(400, r.ask("DELETE", shop+"/evaluators/beta", "")))
	if len(p.Errors) != 1 || p.Errors[0].Entry != `flag "a"` || p.Errors[0].Pointer != "" {
		t.Errorf("deleting what is used: %+v", p)
	}
	list := decode[listing](t, r.get(shop+"/evaluators"))
	if len(list.Entries) != 1 || list.Entries[0].Name != "beta" || string(list.Entries[0].Value) != `{"in":["@example.com",{"var":"email"}]}` {
		t.Errorf("%+v", list)
	}
}

type listing struct {
	Head    restwire.Head
	Entries []struct {
		Name, Entity, ETag string
		Revision           uint64
		Overrides          int
		Value              json.RawMessage
	}
	Next string
}

func (l listing) names() (out []string) {
	for _, e := range l.Entries {
		out = append(out, e.Name+e.Entity)
	}
	return out
}

func TestList(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	describe := func(key, state, metadata, description string) {
		r.want(201, r.put(shop+"/flags/"+key, fmt.Sprintf(`{"state":%q,"variants":{"on":true},"defaultVariant":"on","description":%q,"metadata":%s}`, state, description, metadata)))
	}
	describe("a1", "ENABLED", `{"owner":"shop","tags":"beta, checkout"}`, "the Till")
	describe("a2", "DISABLED", `{"owner":"shop","kind":"ops"}`, "")
	describe("b", "ENABLED", `{"owner":"ops","tags":"checkouts"}`, "")
	for _, entity := range []string{"x", "y z"} {
		r.want(201, r.put(shop+"/overrides/"+url.PathEscape(entity)+"/a2", `{"variant":"on"}`))
	}
	for query, want := range map[string]string{
		"": "a1 a2 b", "search=a": "a1 a2", "search=till": "a1", "tag=checkout": "a1", "owner=shop": "a1 a2", "kind=ops": "a2",
		"state=enabled": "a1 b", "owner=shop&state=disabled": "a2", "search=%00": "", "after=a1": "a2 b", "after=a11": "a2 b", "limit=2": "a1 a2",
	} {
		list := decode[listing](t, r.get(shop+"/flags?"+query))
		if got := strings.Join(list.names(), " "); got != want || (list.Next != "") != (query == "limit=2") {
			t.Errorf("%s: %s (next %q), want %s", query, got, list.Next, want)
		}
		for _, e := range list.Entries {
			if (e.Overrides == 2) != (e.Name == "a2") {
				t.Errorf("%s has %d overrides", e.Name, e.Overrides)
			}
			if w := r.get(shop + "/flags/" + e.Name); w.Header().Get("ETag") != e.ETag {
				t.Errorf("%s: tag %s, listed as %s", e.Name, w.Header().Get("ETag"), e.ETag)
			}
		}
	}
	var all []string
	for after := ""; ; {
		page := decode[listing](t, r.get(shop+"/overrides?limit=1&after="+url.QueryEscape(after)))
		all = append(all, page.names()...)
		if after = page.Next; after == "" {
			break
		}
	}
	if want := []string{"a2x", "a2y z"}; !slices.Equal(all, want) {
		t.Errorf("page by page %q, want %q", all, want)
	}
	for query, want := range map[string]int{"?entity=x": 1, "?key=a2": 2, "?key=b": 0} {
		if got := decode[listing](t, r.get(shop+"/overrides"+query)); len(got.Entries) != want {
			t.Errorf("%s: %+v", query, got)
		}
	}
	for _, bad := range []string{"limit=0", "limit=x", "limit=1001", "state=on"} {
		r.want(400, r.get(shop+"/flags?"+bad))
	}
	r.want(400, r.get(shop+"/overrides?after=x"))
}

// TestRepeat: a request with an idempotency key is answered as it was the first time,
// whatever has happened since.
func TestRepeat(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "b")
	for i, ask := range []func(headers ...string) *httptest.ResponseRecorder{
		func(h ...string) *httptest.ResponseRecorder { return r.put(shop+"/flags/a", on, h...) },
		func(h ...string) *httptest.ResponseRecorder {
			return r.ask("PATCH", shop+"/flags/a", `{"state":"DISABLED"}`, append(h, "Content-Type", jsonType, "If-Match", "*")...)
		},
		func(h ...string) *httptest.ResponseRecorder { return r.ask("DELETE", shop+"/flags/b", "", h...) },
		func(h ...string) *httptest.ResponseRecorder {
			return r.ask("POST", shop+"/import", `{"flags":{"c":`+on+`}}`, append(h, "Content-Type", jsonType)...)
		},
		func(h ...string) *httptest.ResponseRecorder { return r.ask("PUT", "/api/v1/sets/new", "", h...) },
		func(h ...string) *httptest.ResponseRecorder { return r.ask("DELETE", "/api/v1/sets/new", "", h...) },
	} {
		key := []string{"Idempotency-Key", fmt.Sprint("key-", i)}
		first := ask(key...)
		r.write("shop", "a")
		was := r.revision()
		again := ask(key...)
		if first.Code >= 300 || again.Code != first.Code || again.Body.String() != first.Body.String() || again.Header().Get("ETag") != first.Header().Get("ETag") {
			t.Errorf("request %d: %d %s, then %d %s", i, first.Code, first.Body, again.Code, again.Body)
		}
		if r.revision() != was {
			t.Errorf("request %d was made twice", i)
		}
		r.want(422, r.put(shop+"/flags/z", on, "Idempotency-Key", "key-0"))
	}
	if w := r.put(shop+"/flags/a", on, "Idempotency-Key", "key-0", "Authorization", "Bearer somebody-else"); w.Code != 200 || strings.Contains(w.Body.String(), `"revision":3,`) {
		t.Errorf("the key of somebody else: %d %s", w.Code, w.Body)
	}
}

func TestRepeatAtOnce(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	answers := make([]string, 16)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			answers[i] = r.put(shop+"/flags/a", on, "Idempotency-Key", "once", "If-None-Match", "*").Body.String()
		})
	}
	all.Wait()
	if got := slices.Compact(answers); len(got) != 1 || !strings.Contains(got[0], `"revision":2`) || r.revision() != 2 {
		t.Errorf("at revision %d: %q", r.revision(), got)
	}
}

// TestRace: of requests that all want the flag as it was, one gets its way.
func TestRace(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "a")
	tag := r.get(shop + "/flags/a").Header().Get("ETag")
	codes := make([]int, 16)
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			codes[i] = r.ask("PATCH", shop+"/flags/a", fmt.Sprintf(`{"description":"%d"}`, i), "Content-Type", jsonType, "If-Match", tag).Code
		})
	}
	all.Wait()
	slices.Sort(codes)
	if codes[0] != 200 || codes[1] != 412 || codes[15] != 412 || r.revision() != 3 {
		t.Errorf("%v, at revision %d", codes, r.revision())
	}
}

func TestDryRun(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "a")
	type answer struct {
		Token   string
		DryRun  bool
		Changed int
		Commit  *restwire.Commit
		Changes []struct {
			Kind, Name, Summary string
			Before, After       json.RawMessage
		}
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"PUT":        r.put(shop+"/flags/b?dry-run", on),
		"PATCH":      r.ask("PATCH", shop+"/flags/a?dry-run=true", `{"defaultVariant":"off"}`, "Content-Type", jsonType),
		"DELETE":     r.ask("DELETE", shop+"/flags/a?dry-run=1", ""),
		"import":     r.ask("POST", shop+"/import?dry-run&prune", `{"flags":{}}`, "Content-Type", jsonType),
		"delete set": r.ask("DELETE", shop+"?dry-run", ""),
	} {
		got := decode[answer](t, w)
		if !got.DryRun || got.Changed != 1 || got.Commit != nil || name != "delete set" && len(got.Changes) != 1 {
			t.Errorf("%s: %+v", name, got)
		}
		for _, c := range got.Changes {
			if c.Name == "" || c.Summary == "" || string(c.Before) == string(c.After) {
				t.Errorf("%s: %+v", name, c)
			}
		}
	}
	r.want(400, r.put(shop+"/flags/b?dry-run", `{}`))
	r.want(400, r.put(shop+"/flags/b?dry-run=perhaps", on))
	if r.revision() != 2 {
		t.Error("a dry run has written")
	}
}

func TestImport(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "old")
	head := r.get(shop).Header().Get("ETag")
	r.want(200, r.ask("POST", shop+"/import", "flags:\n  a: {state: ENABLED, variants: {v: 1}, defaultVariant: v, x-overrides: {tenant-42: v}}\n", "Content-Type", "application/yaml", "If-Match", head))
	if got := strings.Join(decode[listing](t, r.get(shop+"/flags")).names(), " "); got != "a old" {
		t.Errorf("imported: %s", got)
	}
	r.want(412, r.ask("POST", shop+"/import", `{"flags":{}}`, "Content-Type", jsonType, "If-Match", head))
	r.want(200, r.ask("POST", shop+"/import?prune=true", `{"flags":{"old":`+on+`}}`, "Content-Type", jsonType))
	if got := strings.Join(decode[listing](t, r.get(shop+"/flags")).names(), " "); got != "old" {
		t.Errorf("with prune: %s", got)
	}
	// What was exported is what an import takes.
	doc := r.get(shop + "/export?format=yaml").Body.String()
	was := r.revision()
	r.want(200, r.ask("POST", shop+"/import?prune", doc, "Content-Type", "application/yaml"))
	if r.revision() != was {
		t.Error("importing what is there has written")
	}
	big := `{"flags":{},"x-pad":"` + strings.Repeat("x", 8<<20) + `"}`
	r.want(413, r.ask("POST", shop+"/import", big, "Content-Type", jsonType))
	p := problemOf(t, r.want(400, r.ask("POST", shop+"/import", "flags:\n  a:\n    state: ON\n    variants: {v: 1}\n    defaultVariant: w\n", "Content-Type", "application/yaml")))
	if len(p.Errors) != 2 || p.Errors[0].Pointer != "#/flags/a/state" || p.Errors[0].Line != 3 || p.Errors[1].Pointer != "#/flags/a/defaultVariant" {
		t.Errorf("%+v", p)
	}
}

func TestSet(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.want(201, r.ask("PUT", shop, ""))
	tag := r.want(200, r.get(shop)).Header().Get("ETag")
	if w := r.want(200, r.ask("PUT", shop, "")); r.revision() != 1 {
		t.Errorf("created twice: %s", w.Body)
	}
	r.want(412, r.ask("PUT", shop, "", "If-None-Match", "*"))
	r.want(400, r.ask("PUT", shop, `{}`, "Content-Type", jsonType))
	r.want(201, r.put(shop+"/flags/a", on))
	r.want(412, r.ask("DELETE", shop, "", "If-Match", tag))
	r.want(200, r.ask("DELETE", shop, ""))
	for _, w := range []*httptest.ResponseRecorder{r.put(shop+"/flags/a", on), r.ask("DELETE", shop, "")} {
		if p := problemOf(t, r.want(409, w)); !strings.HasSuffix(p.Type, "#ended") {
			t.Errorf("of a deleted set: %+v", p)
		}
	}
	if w := r.want(201, r.ask("PUT", shop, "")); !strings.HasPrefix(w.Header().Get("Holdfast-Revision"), "shop@1.1~") {
		t.Errorf("created again: %v", w.Header())
	}
	r.want(404, r.ask("DELETE", "/api/v1/sets/none", ""))
	r.want(400, r.ask("PUT", "/api/v1/sets/-bad", ""))
}

// TestBadWrites: one clear answer, and nothing changed.
func TestBadWrites(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "a")
	deep := strings.Repeat("[", 300) + strings.Repeat("]", 300)
	for _, c := range []struct {
		name, method, path, body, media string
		status                          int
		pointer                         string
	}{
		{"no JSON", "PUT", "/flags/a", "{", jsonType, 400, "#"},
		{"nothing", "PUT", "/flags/a", "", jsonType, 400, "#"},
		{"no object", "PUT", "/flags/a", "[]", jsonType, 400, "#"},
		{"twice the same name", "PUT", "/flags/a", `{"state":"ENABLED","state":"DISABLED"}`, jsonType, 400, "*"},
		{"more than one", "PUT", "/flags/a", on + on, jsonType, 400, "#"},
		{"unknown variant", "PUT", "/flags/a", `{"state":"ENABLED","variants":{"on":true},"defaultVariant":"off"}`, jsonType, 400, "#/defaultVariant"},
		{"unknown variant in a rule", "PUT", "/flags/a", `{"state":"ENABLED","variants":{"a/b":true},"defaultVariant":"a/b","targeting":{"if":[true,"x"]}}`, jsonType, 400, "#/targeting/if/1"},
		{"variants of two types", "PUT", "/flags/a", `{"state":"ENABLED","variants":{"a~/b":true,"c":1},"defaultVariant":"c"}`, jsonType, 400, "*"},
		{"deep", "PUT", "/flags/a", `{"state":"ENABLED","variants":{"on":true},"defaultVariant":"on","targeting":` + deep + `}`, jsonType, 400, "*"},
		{"too long", "PUT", "/flags/a", `{"description":"` + strings.Repeat("x", 1<<20) + `"}`, jsonType, 413, ""},
		{"long name", "PUT", "/flags/" + strings.Repeat("k", 600), on, jsonType, 400, "*"},
		{"control character in a name", "PUT", "/flags/a%00b", on, jsonType, 400, ""},
		{"mark of direction in a name", "PUT", "/overrides/a%E2%80%AEb/a", `{"variant":"on"}`, jsonType, 400, ""},
		{"a form", "PUT", "/flags/a", on, "application/x-www-form-urlencoded", 415, ""},
		{"no type", "PUT", "/flags/a", on, "", 415, ""},
		{"latin", "PUT", "/flags/a", on, jsonType + "; charset=latin1", 415, ""},
		{"patch of no object", "PATCH", "/flags/a", `null`, "application/merge-patch+json", 400, "#"},
		{"patch that breaks it", "PATCH", "/flags/a", `{"variants":{"on":null}}`, "application/merge-patch+json", 400, "#/defaultVariant"},
		{"patch of another kind", "PATCH", "/flags/a", `[]`, "application/json-patch+json", 415, ""},
		{"override of nothing", "PUT", "/overrides/e/none", `{"variant":"on"}`, jsonType, 400, "*"},
		{"override to nothing", "PUT", "/overrides/e/a", `{"variant":"none"}`, jsonType, 400, "*"},
		{"override of another form", "PUT", "/overrides/e/a", `"on"`, jsonType, 400, "*"},
		{"DELETE with a body", "DELETE", "/flags/a", `{}`, jsonType, 400, ""},
		{"reason with a mark", "DELETE", "/flags/a?reason=%E2%80%AE", "", "", 400, ""},
		{"reason with a line", "DELETE", "/flags/a?reason=a%0Ab", "", "", 400, ""},
		{"long reason", "DELETE", "/flags/a?reason=" + strings.Repeat("x", 2000), "", "", 400, ""},
		{"no file", "POST", "/import", `{"flag":{}}`, jsonType, 400, "*"},
		{"no YAML", "POST", "/import", "a: b: c", "application/yaml", 400, "*"},
		{"wrong method", "POST", "/flags/a", on, jsonType, 405, ""},
	} {
		w := r.ask(c.method, shop+c.path, c.body, "Content-Type", c.media)
		if w.Code != c.status {
			t.Errorf("%s: %d %.300s, want %d", c.name, w.Code, w.Body, c.status)
			continue
		}
		p := problemOf(t, w)
		if c.pointer != "" && (len(p.Errors) == 0 || p.Errors[0].Detail == "" || c.pointer != "*" && p.Errors[0].Pointer != c.pointer) {
			t.Errorf("%s: %+v, want a fault at %s", c.name, p, c.pointer)
		}
		if len(p.Detail) > 20_000 || p.Detail == "" {
			t.Errorf("%s: %d bytes of detail", c.name, len(p.Detail))
		}
	}
	if w := r.ask("PATCH", shop+"/flags/a", "", "Content-Type", "text/plain"); w.Header().Get("Accept-Patch") == "" {
		t.Error("a client is not told which patches are taken")
	}
	if w := r.ask("POST", shop+"/flags/a", ""); w.Header().Get("Allow") != "DELETE, GET, HEAD, PATCH, PUT" {
		t.Errorf("allowed: %s", w.Header().Get("Allow"))
	}
	if r.revision() != 2 {
		t.Errorf("at revision %d: something was written", r.revision())
	}
}

// TestForeignPages: a browser that another site's page tells to write does not get through.
func TestForeignPages(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "a")
	for _, c := range []struct {
		method, name, value string
		status              int
	}{
		{"DELETE", "Origin", "https://evil.example", 403},
		{"DELETE", "Origin", "null", 403},
		{"PUT", "Origin", "http://example.com:8080", 403},
		{"PATCH", "Sec-Fetch-Site", "cross-site", 403},
		{"POST", "Sec-Fetch-Site", "same-site", 403},
		{"GET", "Origin", "https://evil.example", 200}, // cannot be read there: there are no CORS headers
		{"DELETE", "Origin", "http://example.com", 200},
	} {
		if w := r.ask(c.method, shop+"/flags/a", "", c.name, c.value); w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s with %s %s: %d %v", c.method, c.name, c.value, w.Code, w.Header())
		}
	}
}

func TestHistoryOf(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	for _, key := range []string{"a", "b", "a2"} {
		r.want(201, r.put(shop+"/flags/"+key, on))
	}
	r.want(201, r.put(shop+"/overrides/x/a", `{"variant":"on"}`))
	r.want(200, r.ask("DELETE", shop+"/flags/a", "", "Authorization", "Bearer k"))
	actor := r.last().Actor.ID
	type page struct {
		Commits []restwire.Commit
		Next    string
	}
	for query, want := range map[string]string{
		"key=a": "256", "key=b": "3", "entity=x": "56", "key=b&entity=x": "", "actor=" + actor: "6", "key=a&limit=1": "2",
		"key=a&from=3": "56", "since=2001-01-01T00:00:00Z": "123456", "until=2001-01-01T00:00:00Z": "",
	} {
		got := decode[page](t, r.get(shop+"/history?"+query))
		text := ""
		for _, c := range got.Commits {
			text += fmt.Sprint(c.Revision)
		}
		if text != want || (got.Next != "") != (query == "key=a&limit=1") {
			t.Errorf("%s: %s (next %q), want %s", query, text, got.Next, want)
		}
	}
	r.want(400, r.get(shop+"/history?since=yesterday"))
}

// TestHistoryOfLargeCommits: a page of what was searched for ends early where that is much,
// and says where to go on from.
func TestHistoryOfLargeCommits(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	const commits, size = 12, 600 << 10
	for i := range commits {
		def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":"%d%s"}}`, i, strings.Repeat("x", size))
		r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{{Key: flags.FlagKey("large"), Bytes: def}}})
	}
	type page struct {
		Commits []struct{ Revision uint64 }
		Next    string
	}
	found, pages := 0, 0
	for next := "1"; next != ""; pages++ {
		w := r.get(shop + "/history?key=large&limit=1000&from=" + next)
		if most := 2 * (4<<20 + 2*size); w.Body.Len() > most { // each with what was before
			t.Errorf("a page of %d bytes", w.Body.Len())
		}
		p := decode[page](t, w)
		found, next = found+len(p.Commits), p.Next
	}
	if found != commits || pages < 2 {
		t.Errorf("%d commits on %d pages", found, pages)
	}
}

func TestRollback(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	r.write("shop", "a")
	r.want(200, r.ask("PATCH", shop+"/flags/a", `{"defaultVariant":"off"}`, "Content-Type", jsonType))
	r.write("shop", "b")
	r.want(200, r.ask("POST", shop+"/rollback", `{"revision":"2","flags":["a"]}`, "Content-Type", jsonType))
	if got := r.get(shop + "/flags/a").Body.String(); got != on+"\n" || !strings.HasPrefix(r.last().Reason, "rollback to shop@0.2~") {
		t.Errorf("%s, %+v", got, r.last())
	}
	r.want(200, r.ask("POST", shop+"/rollback?dry-run", `{"revision":"0.1"}`, "Content-Type", jsonType))
	w := r.want(200, r.ask("POST", shop+"/rollback", `{"revision":"shop@0.1"}`, "Content-Type", jsonType, "Idempotency-Key", "back"))
	if got := decode[listing](t, r.get(shop+"/flags")); len(got.Entries) > 0 || got.Head.Revision != 6 {
		t.Errorf("%+v", got)
	}
	if again := r.ask("POST", shop+"/rollback", `{"revision":"1"}`, "Content-Type", jsonType, "Idempotency-Key", "back"); again.Body.String() != w.Body.String() {
		t.Errorf("%s, again %s", w.Body, again.Body)
	}
	for body, status := range map[string]int{
		`{"revision":"99"}`: 404, `{"revision":"x"}`: 400, `{"revision":"1","keys":[]}`: 400, `{"revision":"1"}{}`: 400, `{}`: 400,
		`{"revision":"1","flags":[]}`: 400, `{"revision":"1","flags":["none"]}`: 404, `{"revision":"shop@0.1~aaaaaaaa"}`: 412,
	} {
		if w := r.ask("POST", shop+"/rollback", body, "Content-Type", jsonType); w.Code != status {
			t.Errorf("%s: %d %s, want %d", body, w.Code, w.Body, status)
		}
	}
}

func TestClients(t *testing.T) {
	r := newRig(t, restapi.Options{Store: memstore.New(nil)})
	got := decode[struct{ Clients []struct{} }](t, r.get("/api/v1/clients"))
	if got.Clients == nil || len(got.Clients) > 0 {
		t.Errorf("%+v", got)
	}
}

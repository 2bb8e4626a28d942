package ofrep_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// TestLeniencies: what flagd takes is taken, on both endpoints.
func TestLeniencies(t *testing.T) {
	r, _ := filledRig(t)
	for _, body := range []string{
		``, ` `, "\r\n\t ", `{}`, `null`, `{"context":{}}`, `{"context":null}`, `{"context":{"targetingKey":null}}`, `{"context":{"targetingKey":1}}`,
		` { "context" : { "targetingKey" : "x" } , "more" : [1] } `, `{"context":{"a":{"b":[1,null,{"c":true}]}}}`, `{"context":{"":1}}`,
		`{"context":{"targetingKey":"` + strings.Repeat("k", 900_000) + `"}}`,
		`{"context":` + strings.Repeat(`{"a":`, 60) + `1` + strings.Repeat(`}`, 60) + `}`,
	} {
		if got := decode[result](t, r.one("bool", body), http.StatusOK); got.Value != true {
			t.Errorf("%.50q: %+v", body, got)
		}
		for _, path := range []string{bulk, bulk + "/", bulk + "?flagConfigEtag=x&flagConfigLastModified=1771622898", bulk + "?a=%zz"} {
			if got := decode[answers](t, r.ask(http.MethodPost, path, body), http.StatusOK); len(got.Flags) == 0 {
				t.Errorf("%s %.50q: %+v", path, body, got)
			}
		}
	}
	// Nobody asks for the right content type either.
	for _, media := range []string{"text/plain", "application/json; charset=utf-8", "application/x-www-form-urlencoded"} {
		decode[result](t, r.one("rule", `{"context":{"plan":"pro"}}`, "Content-Type", media), http.StatusOK)
	}
}

func TestBadBodies(t *testing.T) {
	r, _ := filledRig(t)
	for _, c := range []struct {
		body, headers string
		status        int
		code, details string
	}{
		{`{`, "", 400, "INVALID_CONTEXT", "line 1, column 2"},
		{`{"context":{"a":}}`, "", 400, "INVALID_CONTEXT", "line 1, column 17"},
		{`{"context":{}} {}`, "", 400, "INVALID_CONTEXT", "after the document"},
		{`{"context":{"a":1,"a":2}}`, "", 400, "INVALID_CONTEXT", "duplicate key"},
		{"{\"context\":{\"a\":\"\xff\"}}", "", 400, "INVALID_CONTEXT", "UTF-8"},
		{`{"context":{"a":1e999}}`, "", 400, "INVALID_CONTEXT", "out of range"},
		{`hello`, "", 400, "INVALID_CONTEXT", "not JSON"},
		{`context=x`, "", 400, "INVALID_CONTEXT", "not JSON"},
		{`[]`, "", 400, "INVALID_CONTEXT", "type array"},
		{`"x"`, "", 400, "INVALID_CONTEXT", "type string"},
		{`{"context":[]}`, "", 400, "INVALID_CONTEXT", `"context" is of type array`},
		{`{"context":"x"}`, "", 400, "INVALID_CONTEXT", `"context" is of type string`},
		{`{"context":true}`, "", 400, "INVALID_CONTEXT", `"context" is of type boolean`},
		{`{"context":` + strings.Repeat(`[`, 100), "", 400, "INVALID_CONTEXT", "nested deeper"},
		{`{"context":{"a":"` + strings.Repeat("x", 1_000_000) + `"}}`, "", 413, "", "too large"},
		{strings.Repeat(" ", 1_000_001), "", 413, "", "too large"},
		{`{}`, "Content-Encoding: gzip", 415, "", "gzip"},
		{`{}`, revision + ": default", 400, "GENERAL", "token"},
		{`{}`, "Authorization: Basic", 401, "GENERAL", "unauthenticated"},
	} {
		headers := []string{}
		if name, value, ok := strings.Cut(c.headers, ": "); ok {
			headers = append(headers, name, value)
		}
		for _, path := range []string{bulk, bulk + "/bool"} {
			w := r.ask(http.MethodPost, path, c.body, headers...)
			got := decode[result](t, w, c.status)
			if got.ErrorCode != c.code || !strings.Contains(got.ErrorDetails, c.details) || (got.Key == "bool") != (path != bulk) {
				t.Errorf("%s %.50q %s: %+v, want %s %q", path, c.body, c.headers, got, c.code, c.details)
			}
			if (w.Header().Get("WWW-Authenticate") != "") != (c.status == 401) {
				t.Errorf("%.50q: %v", c.body, w.Header())
			}
		}
	}
}

// TestTooLargeWithoutALength: of a body that does not say how long it is, no more is
// read than may be.
func TestTooLargeWithoutALength(t *testing.T) {
	r, _ := filledRig(t)
	endless := &spaces{}
	req := newRequest(t, bulk, endless)
	req.ContentLength = -1
	w := record(r, req)
	if got := decode[result](t, w, http.StatusRequestEntityTooLarge); got.ErrorDetails == "" || endless.read > 2_000_000 {
		t.Errorf("%+v after %d bytes", got, endless.read)
	}
}

// spaces is an endless body.
type spaces struct{ read int }

func (s *spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	s.read += len(p)
	return len(p), nil
}

func TestPathsAndMethods(t *testing.T) {
	r, _ := filledRig(t)
	for _, c := range []struct {
		method, path string
		status       int
		allow        string
	}{
		{"GET", bulk, 405, "POST"},
		{"HEAD", bulk, 405, "POST"},
		{"PUT", bulk + "/bool", 405, "POST"},
		{"GET", bulk + "/bool", 405, "POST"},
		{"DELETE", bulk + "/", 405, "POST"},
		{"OPTIONS", bulk, 405, "POST"},
		{"POST", sse, 405, "GET, HEAD"},
		{"HEAD", sse, 200, ""},
		{"POST", bulk + "/none", 404, ""},
		{"POST", bulk + "/bool/", 404, ""},
		{"POST", bulk + "s", 404, ""},
		{"POST", "/ofrep/v1/evaluate", 404, ""},
		{"GET", "/ofrep/v1/configuration", 404, ""},
		{"GET", "/ofrep/", 404, ""},
		{"POST", "/ofrep/v2/evaluate/flags", 404, ""},
	} {
		w := r.ask(c.method, c.path, "")
		if w.Code != c.status || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q; want %d, %q", c.method, c.path, w.Code, w.Header().Get("Allow"), c.status, c.allow)
		}
		if c.status == 404 {
			got := decode[result](t, w, 404)
			// A flag that is not there is told from a resource that is not.
			if flag := strings.HasPrefix(c.path, bulk+"/"); (got.ErrorCode == "FLAG_NOT_FOUND") != flag || (got.Key != "") != flag {
				t.Errorf("%s: %+v", c.path, got)
			}
		}
	}
}

// scoped lets each key evaluate the set it is called after, and anonymous nothing.
type scoped struct{}

func (scoped) Authenticate(c authz.Credentials) (authz.Principal, error) {
	key, ok := strings.CutPrefix(c.Authorization, "Bearer ")
	if !ok || key == "" {
		return authz.Principal{}, fmt.Errorf("%w: want a key", authz.ErrUnauthenticated)
	}
	return authz.Principal{Kind: "key", ID: key}, nil
}

func (scoped) Decide(p authz.Principal, a authz.Action, set string) error {
	if a == authz.Evaluate && p.ID == set {
		return nil
	}
	return fmt.Errorf("%w: %s may not %s %s", authz.ErrDenied, p, a, set)
}

func TestKeys(t *testing.T) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{Policy: scoped{}})
	r.put("shop", "bool", definitions[1])
	for _, c := range []struct {
		headers []string
		status  int
	}{
		{nil, 401},
		{[]string{"Authorization", "Bearer shop"}, 403}, // not the default set
		{[]string{"Authorization", "Bearer shop", selector, "flagSetId=shop"}, 200},
		{[]string{"X-API-Key", "shop", selector, "flagSetId=shop"}, 200},
		{[]string{"X-API-Key", "other", selector, "flagSetId=shop"}, 403},
		{[]string{"Authorization", "Bearer other", "X-API-Key", "shop", selector, "flagSetId=shop"}, 403},
	} {
		for _, path := range []string{bulk, bulk + "/bool"} {
			if w := r.ask(http.MethodPost, path, "", c.headers...); w.Code != c.status {
				t.Errorf("%s %v: %d %s, want %d", path, c.headers, w.Code, w.Body, c.status)
			}
		}
		if w := r.ask(http.MethodHead, sse, "", c.headers...); w.Code != c.status {
			t.Errorf("%s %v: %d, want %d", sse, c.headers, w.Code, c.status)
		}
	}
}

// TestTokens: a request that carries a token sees that revision, or is told that the
// answer is not fresh; its reason stays the evaluation's.
func TestTokens(t *testing.T) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{})
	for i := range 20 {
		token := r.put("default", "n", fmt.Sprintf(`{"defaultVariant":"v","variants":{"v":%d}}`, i)).String()
		if got := decode[result](t, r.one("n", "", revision, token), http.StatusOK); got.Value != float64(i) || got.Metadata["holdfastRevision"] != token {
			t.Fatalf("after the write of %d: %+v", i, got)
		}
		// What an event said comes back in the query.
		list := decode[answers](t, r.ask(http.MethodPost, bulk+"?flagConfigEtag="+token, ""), http.StatusOK)
		if list.Flags[0].Value != float64(i) {
			t.Fatalf("after the write of %d: %+v", i, list)
		}
	}
	const future = "default@0.999"
	if got := decode[result](t, r.one("n", "", revision, future), http.StatusOK); got.Value != 19.0 || got.Reason != "STATIC" || got.Metadata["freshness"] != "not fresh" {
		t.Errorf("a token from nowhere: %+v", got)
	}
	list := decode[answers](t, r.all("", revision, future), http.StatusOK)
	if list.Metadata["freshness"] != "not fresh" || list.Flags[0].Metadata["freshness"] != "not fresh" || list.Flags[0].Reason != "STATIC" {
		t.Errorf("a token from nowhere: %+v", list)
	}
}

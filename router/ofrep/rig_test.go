package ofrep_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/ofrep"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) {
	if serveForBenchmark() {
		return
	}
	goleak.VerifyTestMain(m)
}

// rig is the protocol over a store in memory.
type rig struct {
	t   testing.TB
	mem *memstore.Store
	*ofrep.Service
}

func newRig(t testing.TB, opts ofrep.Options, eval evaluator.Options) *rig {
	t.Helper()
	r, stop := openRig(t, opts, eval)
	t.Cleanup(stop)
	return r
}

// openRig is newRig for bubbles of synctest, which end before cleanups.
func openRig(t testing.TB, opts ofrep.Options, eval evaluator.Options) (r *rig, stop func()) {
	t.Helper()
	r = &rig{t: t, mem: memstore.New(nil)}
	eval.Hub = hub.New(r.mem, nil)
	opts.Evaluator, opts.Policy = evaluator.New(eval), eval.Policy
	r.Service = ofrep.New(opts)
	for _, set := range []string{"default", "shop"} {
		r.apply(flags.Commit{Set: set, Op: flags.OpCreate})
	}
	return r, func() {
		opts.Evaluator.Close()
		eval.Hub.Close()
		_ = r.mem.Close()
	}
}

func (r *rig) apply(c flags.Commit) flags.Token {
	r.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := r.mem.Apply(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head().Token()
}

// put writes flags into a set, keys and definitions in turn.
func (r *rig) put(set string, defs ...string) flags.Token {
	r.t.Helper()
	c := flags.Commit{Set: set}
	for i := 0; i < len(defs); i += 2 {
		d, err := flags.ParseDefinition([]byte(defs[i+1]))
		if err != nil {
			r.t.Fatal(err)
		}
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(defs[i]), Bytes: d.Bytes()})
	}
	return r.apply(c)
}

// mirror writes flags as another store's history brings them: nobody checks them
// again, so that they may be what an older or newer version of the router let pass.
func (r *rig) mirror(set string, defs ...string) flags.Token {
	r.t.Helper()
	u, err := r.mem.Fetch(r.t.Context(), set, flags.Head{})
	if err != nil {
		r.t.Fatal(err)
	}
	contents, err := store.Assemble(set, u)
	if err != nil {
		r.t.Fatal(err)
	}
	c := flags.Commit{ID: flags.NewCommitID(), Set: set}
	for i := 0; i < len(defs); i += 2 {
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(defs[i]), Bytes: []byte(defs[i+1])})
	}
	if err := contents.Seal(&c); err != nil {
		r.t.Fatal(err)
	}
	if err := r.mem.Append(r.t.Context(), set, []flags.Commit{c}); err != nil {
		r.t.Fatal(err)
	}
	return c.Head().Token()
}

// override gives an entity a variant of its own.
func (r *rig) override(set, key, entity, variant string) flags.Token {
	r.t.Helper()
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{
		Key: flags.OverrideKey(key, entity), Bytes: fmt.Appendf(nil, `{"variant":%q}`, variant),
	}}})
}

// metadata sets a key of a set's metadata.
func (r *rig) metadata(set, key, value string) flags.Token {
	r.t.Helper()
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: key}, Bytes: []byte(value)}}})
}

func (r *rig) remove(set, key string) flags.Token {
	r.t.Helper()
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey(key)}}})
}

// ask sends a request with headers given as name and value in turn. Demanding the
// token of a write, it sees the write.
func (r *rig) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequestWithContext(r.t.Context(), method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

func (r *rig) one(key, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.ask(http.MethodPost, bulk+"/"+key, body, headers...)
}

func (r *rig) all(body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	return r.ask(http.MethodPost, bulk, body, headers...)
}

const (
	bulk     = "/ofrep/v1/evaluate/flags"
	sse      = "/ofrep/v1/sse"
	revision = "Holdfast-Revision"
	selector = "Flagd-Selector"
)

// result is one flag of an answer.
type result struct {
	Key          string         `json:"key"`
	Value        any            `json:"value"`
	Reason       string         `json:"reason"`
	Variant      *string        `json:"variant"`
	ErrorCode    string         `json:"errorCode"`
	ErrorDetails string         `json:"errorDetails"`
	Metadata     map[string]any `json:"metadata"`
}

// answers is a bulk answer.
type answers struct {
	Flags        []result `json:"flags"`
	EventStreams []struct {
		Type     string `json:"type"`
		Endpoint struct {
			RequestURI string `json:"requestUri"`
		} `json:"endpoint"`
		InactivityDelaySec int `json:"inactivityDelaySec"`
	} `json:"eventStreams"`
	Metadata map[string]any `json:"metadata"`
}

// decode wants a status and a body in JSON.
func decode[T any](t testing.TB, w *httptest.ResponseRecorder, status int) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != status || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %v %s: want %d in JSON (%v)", w.Code, w.Header(), w.Body, status, err)
	}
	return v
}

func (a *answers) find(key string) *result {
	for i := range a.Flags {
		if a.Flags[i].Key == key {
			return &a.Flags[i]
		}
	}
	return nil
}

func newRequest(t testing.TB, path string, body io.Reader) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
}

func record(h http.Handler, req *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

// newFuzzRequest is newRequest for keys that no URL can be parsed from.
func newFuzzRequest(t testing.TB, path, key string, body []byte) *http.Request {
	t.Helper()
	req := newRequest(t, path, bytes.NewReader(body))
	req.URL.Path += key
	return req
}

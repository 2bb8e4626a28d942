package adminweb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func get(t *testing.T, h http.Handler, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func apply(t *testing.T, st *memstore.Store, c flags.Commit) {
	t.Helper()
	c.ID = flags.NewCommitID()
	if _, err := st.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestPage(t *testing.T) {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	const evil = `<script>alert(1)</script>`
	apply(t, st, flags.Commit{
		Set: "default", Op: flags.OpCreate, Actor: flags.Actor{ID: "ana" + evil},
		Changes: []flags.Mutation{
			{Key: flags.FlagKey("new-checkout"), Bytes: []byte(`{"defaultVariant":"on","description":"Who <b>pays</b>","state":"ENABLED","variants":{"off":false,"on":true}}`)},
			{Key: flags.FlagKey(evil), Bytes: []byte(`{"defaultVariant":null,"state":"DISABLED","variants":{"a":"x"}}`)},
		},
	})
	apply(t, st, flags.Commit{Set: "empty", Op: flags.OpCreate})
	h := adminweb.Handler(st, slog.New(slog.DiscardHandler))

	w := get(t, h, http.MethodGet, "/")
	body := w.Body.String()
	head, err := st.Head(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"new-checkout", "boolean", "enabled", "disabled", "Who &lt;b&gt;pays&lt;/b&gt;", head.Token().String(), "revision 1", `href="/?set=empty"`} {
		if !strings.Contains(body, want) {
			t.Errorf("page lacks %q", want)
		}
	}
	if w.Code != http.StatusOK || strings.Contains(body, evil) || strings.Contains(body, "<b>") {
		t.Errorf("status %d; a name reached the page unescaped: %v", w.Code, strings.Contains(body, evil))
	}
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'") || strings.Contains(body, "<script") || strings.Contains(body, "style=") {
		t.Errorf("policy is %q", csp)
	}
	for _, c := range []struct {
		method, path string
		status       int
		want         string
	}{
		{http.MethodGet, "/?set=empty", http.StatusOK, "No flags yet"},
		{http.MethodGet, "/?set=" + url.QueryEscape(evil), http.StatusNotFound, "no flag set"},
		{http.MethodGet, "/style.css", http.StatusOK, "table"},
		{http.MethodGet, "/page.html", http.StatusNotFound, ""},
		{http.MethodPost, "/", http.StatusMethodNotAllowed, ""},
	} {
		w := get(t, h, c.method, c.path)
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.want) || strings.Contains(w.Body.String(), evil) {
			t.Errorf("%s %s: %d %s", c.method, c.path, w.Code, w.Body.String())
		}
	}
}

// TestManyFlags: a set of any size is one page, which says what it leaves out.
func TestManyFlags(t *testing.T) {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	c := flags.Commit{Set: "default", Op: flags.OpCreate}
	for i := range 1500 {
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("f%04d", i)), Bytes: []byte(`{"defaultVariant":"a","state":"ENABLED","variants":{"a":1}}`)})
	}
	apply(t, st, c)
	body := get(t, adminweb.Handler(st, slog.New(slog.DiscardHandler)), http.MethodGet, "/").Body.String()
	if n := strings.Count(body, `<th scope="row">`); n != 1000 || !strings.Contains(body, "first 1000 of 1500 flags") {
		t.Errorf("%d flags are on the page", n)
	}
}

// down is a store that does not answer.
type down struct{ *memstore.Store }

func (down) Fetch(context.Context, string, flags.Head) (flags.Update, error) {
	return flags.Update{}, errors.New("unplugged")
}

func TestStoreDown(t *testing.T) {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	w := get(t, adminweb.Handler(down{st}, slog.New(slog.DiscardHandler)), http.MethodGet, "/")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "does not answer") {
		t.Errorf("%d %s", w.Code, w.Body.String())
	}
}

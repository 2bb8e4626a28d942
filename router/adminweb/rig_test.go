package adminweb_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is a page over a store in memory, and a browser without scripts.
type rig struct {
	t      testing.TB
	store  *memstore.Store
	server *httptest.Server
	client *http.Client
}

func newRig(t testing.TB, change func(*adminweb.Options)) *rig {
	t.Helper()
	st := memstore.New(nil)
	h := hub.New(st, nil)
	opts := adminweb.Options{Store: st, Hub: h}
	if change != nil {
		change(&opts)
	}
	page := adminweb.New(opts)
	server := httptest.NewServer(page)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, store: st, server: server, client: &http.Client{Jar: jar, Transport: &http.Transport{}}}
	t.Cleanup(func() {
		page.Drain()
		r.client.CloseIdleConnections()
		server.Close()
		h.Close()
		_ = st.Close()
	})
	return r
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
}

func (r *rig) do(req *http.Request) answer {
	r.t.Helper()
	res, err := r.client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return answer{res, string(body)}
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.server.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.do(req)
}

var tokenField = regexp.MustCompile(`name="token" value="([^"]+)"`)

// post sends a form with the token of a page.
func (r *rig) post(path, from string, form url.Values) answer {
	r.t.Helper()
	if m := tokenField.FindStringSubmatch(r.get(from).body); m != nil {
		form.Set("token", m[1])
	}
	return r.postBare(path, form)
}

func (r *rig) postBare(path string, form url.Values) answer {
	r.t.Helper()
	return r.do(formRequest(r.t, r.server.URL+path, form.Encode()))
}

func (r *rig) apply(c flags.Commit) flags.Commit {
	r.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := r.store.Apply(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted
}

func (r *rig) definition(key string) string {
	r.t.Helper()
	u, err := r.store.Fetch(r.t.Context(), "default", flags.Head{})
	if err != nil {
		r.t.Fatal(err)
	}
	contents := flags.ContentsOf(u.Checkpoint)
	for i := range u.Commits {
		if err := contents.Apply(&u.Commits[i]); err != nil {
			r.t.Fatal(err)
		}
	}
	e, _ := contents.Get(flags.FlagKey(key))
	return string(e.Bytes)
}

func formRequest(t testing.TB, address, body string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req
}

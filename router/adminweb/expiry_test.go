package adminweb_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestKeyExpires: a session ends when its key does, however new it is, and the key begins
// no other: one line says why.
func TestKeyExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New(nil)
		keys, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: st})
		if err != nil {
			t.Fatal(err)
		}
		h := hub.New(st, nil)
		page := adminweb.New(adminweb.Options{Store: st, Hub: h, Policy: keys, Records: keys.Records(), Login: true})
		defer func() {
			page.Drain()
			h.Close()
			_ = st.Close()
		}()
		if _, err := st.Apply(t.Context(), flags.Commit{ID: flags.NewCommitID(), Set: "shop", Op: flags.OpCreate}); err != nil {
			t.Fatal(err)
		}
		key, _, err := authz.CreateKey(t.Context(), keys.Records(), authz.Key{Role: authz.Reader, Expires: time.Now().Add(time.Hour)})
		if err != nil {
			t.Fatal(err)
		}
		jar := map[string]*http.Cookie{}
		ask := func(req *http.Request) *httptest.ResponseRecorder {
			for _, c := range jar {
				req.AddCookie(c)
			}
			w := httptest.NewRecorder()
			page.ServeHTTP(w, req)
			for _, c := range w.Result().Cookies() {
				jar[c.Name] = c
			}
			return w
		}
		get := func(path string) *httptest.ResponseRecorder {
			return ask(httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		}
		login := func() *httptest.ResponseRecorder {
			token := tokenField.FindStringSubmatch(get("/login").Body.String())
			if token == nil {
				t.Fatal("the login has no token")
			}
			return ask(formRequest(t, "/login", url.Values{"token": {token[1]}, "key": {key}}.Encode()))
		}

		time.Sleep(time.Hour - time.Minute)
		if w := login(); w.Code != http.StatusSeeOther {
			t.Fatalf("logging in in time: %d %s", w.Code, w.Body)
		}
		if w := get("/s/shop/flags"); w.Code != http.StatusOK {
			t.Fatalf("logged in: %d %s", w.Code, w.Body)
		}
		time.Sleep(2 * time.Minute)
		if w := get("/s/shop/flags"); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/login") {
			t.Errorf("after the end of the key: %d to %q", w.Code, w.Header().Get("Location"))
		}
		w := login()
		if w.Code != http.StatusUnauthorized || strings.Count(w.Body.String(), `class="problem"`) != 1 || !strings.Contains(w.Body.String(), "This key is not known, or has expired or been revoked.") {
			t.Errorf("logging in too late: %d\n%s", w.Code, w.Body)
		}
		if w := get("/s/shop/flags"); w.Code != http.StatusSeeOther {
			t.Errorf("and then: %d", w.Code)
		}
	})
}

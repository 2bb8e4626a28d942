package adminweb_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestPermissions: every page and form answers whoever the table of permissions
// lets, and nobody else.
func TestPermissions(t *testing.T) {
	st := memstore.New(nil)
	keys, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: st})
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(o *adminweb.Options) {
		o.Policy, o.Records, o.Login = keys, keys.Records(), true
	})
	r.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	r.apply(flags.Commit{Set: "shop", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
	for name, c := range map[string]struct {
		key authz.Key
		may []authz.Action
	}{
		"nobody":           {},
		"a reader":         {authz.Key{Role: authz.Reader}, []authz.Action{authz.Read, authz.List}},
		"an evaluator":     {authz.Key{Role: authz.Evaluator}, nil},
		"an editor":        {authz.Key{Role: authz.Editor}, []authz.Action{authz.Read, authz.List, authz.Write}},
		"an administrator": {authz.Key{Role: authz.Administrator}, []authz.Action{authz.Read, authz.List, authz.Write, authz.Admin}},
		"another's editor": {authz.Key{Role: authz.Editor, Sets: []string{"other"}}, []authz.Action{authz.List}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.key.Role != "" {
				text, _, err := authz.CreateKey(t.Context(), keys.Records(), c.key)
				if err != nil {
					t.Fatal(err)
				}
				if a := r.post("/login", "/login", url.Values{"key": {text}}); a.StatusCode != http.StatusSeeOther {
					t.Fatalf("login: %d", a.StatusCode)
				}
			}
			for _, pattern := range adminweb.Patterns() {
				rule, ok := authz.RuleOf(pattern)
				if !ok {
					t.Errorf("%s is not in the table of permissions", pattern)
				}
				method, path, _ := strings.Cut(pattern, " ")
				if rule.Public || strings.HasSuffix(path, "/live") { // which does not end by itself where it is allowed
					continue
				}
				path = strings.ReplaceAll(strings.ReplaceAll(path, "{set}", "shop"), "{$}", "")
				var a answer
				if method == http.MethodPost {
					a = r.post(path, "/login", url.Values{"do": {"nothing"}, "from": {"shop"}})
				} else {
					a = r.get(path + "?key=f&to=enabled&from=shop")
				}
				refused := a.StatusCode == http.StatusForbidden || a.StatusCode == http.StatusUnauthorized ||
					a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/login")
				if may := slices.Contains(c.may, rule.Action); may == refused && path != "/sets/compare" {
					t.Errorf("%s: %d, may is %v", pattern, a.StatusCode, may)
				}
			}
			r.post("/logout", "/login", url.Values{})
		})
	}
	if a := r.get("/s/shop/flags"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("after logging out: %d", a.StatusCode)
	}
}

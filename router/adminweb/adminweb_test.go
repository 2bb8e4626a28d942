package adminweb_test

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

const evil = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>`

func onOff(state string) []byte {
	return fmt.Appendf(nil, `{"defaultVariant":"off","state":%q,"variants":{"off":false,"on":true}}`, state)
}

func TestPages(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{
		Set: "default", Op: flags.OpCreate, Actor: flags.Actor{ID: "ana" + evil}, Reason: evil,
		Changes: []flags.Mutation{
			{Key: flags.FlagKey("new-checkout"), Bytes: []byte(`{"defaultVariant":"on","description":"Who <b>pays</b>","metadata":{"owner":"shop","tags":"money, web"},"state":"ENABLED","variants":{"off":false,"on":true}}`)},
			{Key: flags.FlagKey(evil), Bytes: []byte(`{"defaultVariant":null,"state":"DISABLED","variants":{"a":"x"}}`)},
		},
	})
	r.apply(flags.Commit{Set: "empty", Op: flags.OpCreate})
	for _, c := range []struct {
		path   string
		status int
		want   []string
	}{
		{"/", 200, []string{"new-checkout"}},
		{"/s/default/flags", 200, []string{"Who &lt;b&gt;pays&lt;/b&gt;", "shop", "money", `href="/s/empty/flags"`, `aria-checked="true"`, "2 flags"}},
		{"/s/default/flags?q=WHO+pays", 200, []string{"1 flag, 2 in the set"}},
		{"/s/default/flags?tag=web&owner=shop&state=enabled", 200, []string{"1 flag, 2 in the set"}},
		{"/s/default/flags?state=disabled", 200, []string{"1 flag, 2 in the set"}},
		{"/s/default/flags?q=nothing", 200, []string{"No flag matches"}},
		{"/s/empty/flags", 200, []string{"No flags yet"}},
		{"/s/default/flag?key=new-checkout", 200, []string{"Told apart by", "Created by", `flag &#34;new-checkout&#34; created`}},
		{"/s/default/flag?key=" + url.QueryEscape(evil), 200, []string{"Disabled"}},
		{"/s/default/flag?key=nope", 404, []string{"No such flag"}},
		{"/s/default/history", 200, []string{"created", "ana"}},
		{"/s/default/history?to=x", 400, []string{"is no revision"}},
		{"/s/default/commit?at=0.1", 200, []string{"Revision 1"}},
		{"/s/default/commit?at=0.9", 404, []string{"No such revision"}},
		{"/s/default/switch?key=new-checkout&to=disabled", 200, []string{"Every caller uses the default"}},
		{"/s/default/switch?key=new-checkout&to=default", 200, []string{"Make off the default"}},
		{"/s/default/switch?key=nope&to=disabled", 404, []string{"No such flag"}},
		{"/s/default/playground?key=new-checkout", 200, []string{"STATIC"}},
		{"/s/default/entity?id=t", 200, []string{"STATIC"}},
		{"/s/default/segments", 200, []string{"No segments yet"}},
		{"/sets", 200, []string{"default@0.1"}},
		{"/health", 200, []string{"No SDK follows a set"}},
		{"/s/nope/flags", 404, []string{"No such flag set"}},
		{"/s/" + url.PathEscape(evil) + "/flags", 404, []string{"No such flag set"}},
		{"/nowhere", 404, []string{"No such page"}},
		{"/static/page.css", 200, []string{":root"}},
		{"/static/nope.css", 404, []string{"No such page"}},
	} {
		a := r.get(c.path)
		for _, want := range c.want {
			if a.StatusCode != c.status || !strings.Contains(a.body, want) {
				t.Errorf("GET %s: %d, want %d with %q", c.path, a.StatusCode, c.status, want)
			}
		}
		if strings.Contains(a.body, "<script>") || strings.Contains(a.body, "<b>pays") || strings.Contains(a.body, "<img") {
			t.Errorf("GET %s: a name reached the page unescaped", c.path)
		}
		if strings.Contains(a.body, `href="/keys"`) {
			t.Errorf("GET %s: leads to keys that there are none of", c.path)
		}
		if csp := a.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") || strings.Contains(a.body, "style=") {
			t.Errorf("GET %s: policy is %q", c.path, csp)
		}
	}
}

// TestSwitch: a flag is switched by whoever has a page of ours, once, and not by
// a form of another site or one without a token.
func TestSwitch(t *testing.T) {
	r := newRig(t, nil)
	r.apply(flags.Commit{Set: "default", Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: onOff("ENABLED")}}})
	const page = "/s/default/switch?key=f&to=disabled"
	form := url.Values{"key": {"f"}, "to": {"disabled"}, "base": {"0.1"}, "reason": {"incident"}, "name": {"ana"}}
	if a := r.postBare("/s/default/switch", form); a.StatusCode != http.StatusForbidden {
		t.Errorf("without a token: %d", a.StatusCode)
	}
	foreign := formRequest(t, r.server.URL+"/s/default/switch", form.Encode())
	foreign.Header.Set("Sec-Fetch-Site", "cross-site")
	if a := r.do(foreign); a.StatusCode != http.StatusForbidden {
		t.Errorf("from another site: %d", a.StatusCode)
	}
	if d := r.definition("f"); !strings.Contains(d, "ENABLED") {
		t.Fatalf("a refused form was obeyed: %s", d)
	}
	if a := r.post("/s/default/switch", page, form); a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 2") {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	commits, err := r.store.Commits(t.Context(), "default", flags.Version{Revision: 2}, flags.Version{Revision: 9}, 9)
	if err != nil || len(commits) != 1 {
		t.Fatalf("%d commits, %v", len(commits), err)
	}
	if c := commits[0]; c.Reason != "incident" || c.Actor != (flags.Actor{Kind: "user", ID: "ana", Via: "page"}) || c.Address == "" {
		t.Errorf("commit is by %+v from %q because %q", c.Actor, c.Address, c.Reason)
	}
	// The very same form again is the same commit; another one is a conflict.
	if a := r.post("/s/default/switch", page, form); a.StatusCode != 200 || !strings.Contains(a.body, "Saved as revision 2") {
		t.Errorf("sent twice: %d", a.StatusCode)
	}
	form.Set("reason", "again")
	a := r.post("/s/default/switch", page, form)
	if a.StatusCode != http.StatusConflict || !strings.Contains(a.body, "Somebody was faster") || !strings.Contains(a.body, "again") || !strings.Contains(a.body, "ana") {
		t.Errorf("from an old page: %d %s", a.StatusCode, a.body)
	}
}

// TestManyFlags: pages of a large set are small, with all that they load, and say what
// they leave out.
func TestManyFlags(t *testing.T) {
	r := newRig(t, nil)
	fill(r, 10_000)
	const most = 300 << 10
	for query, want := range map[string]string{
		"":                       "1–100 of 10000 flags<",
		"?q=f0&page=2":           "101–200 of 1000 flags, 10000 in the set",
		"?sort=changed&page=100": "9901–10000 of 10000 flags<",
	} {
		page, bytes := r.zipped("/s/default/flags" + query)
		for _, asset := range loaded.FindAllStringSubmatch(page, -1) {
			script, n := r.zipped(asset[1])
			bytes += n
			for _, part := range imported.FindAllStringSubmatch(script, -1) {
				_, n := r.zipped("/static/" + part[1])
				bytes += n
			}
		}
		if n := strings.Count(page, "<tr data-key"); n != 100 || !strings.Contains(page, want) {
			t.Errorf("%s: %d flags are on the page, want 100 and %q", query, n, want)
		}
		if t.Logf("%s: %d bytes", query, bytes); bytes > most {
			t.Errorf("%s: %d bytes are transferred, at most %d are allowed", query, bytes, most)
		}
	}
}

var (
	loaded   = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)
	imported = regexp.MustCompile(`from "\./([a-z]+\.js)"`)
)

// zipped gets a page as browsers do, and returns it with what was transferred of it.
func (r *rig) zipped(path string) (body string, bytes int) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodGet, r.server.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Accept-Encoding", "gzip")
	a := r.do(req)
	if a.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d", path, a.StatusCode)
	}
	if a.Header.Get("Content-Encoding") == "" {
		return a.body, len(a.body)
	}
	z, err := gzip.NewReader(strings.NewReader(a.body))
	if err != nil {
		r.t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		r.t.Fatal(err)
	}
	return string(text), len(a.body)
}

func fill(r *rig, n int) {
	c := flags.Commit{Set: "default", Op: flags.OpCreate, Actor: flags.Actor{Kind: "user", ID: "import"}}
	for i := range n {
		c.Changes = append(c.Changes, flags.Mutation{
			Key:   flags.FlagKey(fmt.Sprintf("f%04d", i)),
			Bytes: fmt.Appendf(nil, `{"defaultVariant":"off","description":"What flag %d is for, in a sentence","metadata":{"owner":"team-%d","tags":"a,b%d"},"state":"ENABLED","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on"]},"variants":{"off":false,"on":true}}`, i, i%40, i%100),
		})
	}
	r.apply(c)
}

// BenchmarkFlags is the server's time for the list of 10,000 flags, with what a page
// transfers.
func BenchmarkFlags(b *testing.B) {
	for _, query := range []string{"", "?q=sentence+team-7", "?sort=changed&page=50"} {
		b.Run("query="+query, func(b *testing.B) {
			r := newRig(b, nil)
			fill(r, 10_000)
			r.get("/s/default/flags")
			n := 0
			for b.Loop() {
				_, n = r.zipped("/s/default/flags" + query)
			}
			b.ReportMetric(float64(n), "bytes/page")
		})
	}
}

// BenchmarkFirstPage is the first page after a start, as it is and as it would be if
// the set were made ready only then.
func BenchmarkFirstPage(b *testing.B) {
	st := memstore.New(nil)
	b.Cleanup(func() { _ = st.Close() })
	fill(&rig{t: b, store: st}, 10_000)
	for _, warm := range []bool{true, false} {
		b.Run(fmt.Sprintf("warm=%v", warm), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				h := hub.New(st, nil)
				page := adminweb.New(adminweb.Options{Store: st, Hub: h})
				if _, err := h.Open(b.Context(), "default"); err != nil {
					b.Fatal(err)
				}
				if warm {
					page.Warm(b.Context(), "default")
				}
				b.StartTimer()
				w := httptest.NewRecorder()
				page.ServeHTTP(w, httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/s/default/flags", nil))
				if w.Code != http.StatusOK {
					b.Fatal(w.Code)
				}
				b.StopTimer()
				h.Close()
				b.StartTimer()
			}
		})
	}
}

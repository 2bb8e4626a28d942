package authz_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ExampleKeys() {
	ctx := context.Background()
	records := memstore.New(nil)
	text, _, err := authz.CreateKey(ctx, records, authz.Key{Role: authz.Evaluator, Sets: []string{"checkout"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	policy, err := authz.NewKeys(ctx, authz.KeysOptions{Records: records})
	if err != nil {
		fmt.Println(err)
		return
	}
	who, err := policy.Authenticate(authz.Credentials{Authorization: "Bearer " + text})
	fmt.Println(who.Kind, err)
	fmt.Println(policy.Decide(who, authz.Evaluate, "checkout"))
	fmt.Println(errors.Is(policy.Decide(who, authz.Evaluate, "payroll"), authz.ErrDenied))
	// Output:
	// key <nil>
	// <nil>
	// true
}

// rig is a policy over records in memory.
type rig struct {
	testing.TB
	records *memstore.Store
	keys    *authz.Keys
	log     bytes.Buffer
}

func newRig(t testing.TB, opts authz.KeysOptions) *rig {
	t.Helper()
	r := &rig{TB: t, records: memstore.New(nil)}
	opts.Records = r.records
	opts.Logger = slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	keys, err := authz.NewKeys(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	r.keys = keys
	return r
}

// make makes a key through the policy's records.
func (r *rig) make(k authz.Key) (text string, _ authz.Key) {
	r.Helper()
	text, k, err := authz.CreateKey(r.Context(), r.keys.Records(), k)
	if err != nil {
		r.Fatal(err)
	}
	return text, k
}

func (r *rig) login(key string) (authz.Principal, error) {
	return r.keys.Authenticate(authz.Credentials{Authorization: "Bearer " + key, Address: "192.0.2.1:1"})
}

func (r *rig) mustLogin(key string) authz.Principal {
	r.Helper()
	p, err := r.login(key)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

// TestRoles walks action x role x scope.
func TestRoles(t *testing.T) {
	may := map[authz.Role]string{
		authz.Reader: "rsl", authz.Evaluator: "es", authz.Editor: "rslew", authz.Administrator: "rslewa",
	}
	letters := map[authz.Action]string{
		authz.Read: "r", authz.Sync: "s", authz.List: "l", authz.Evaluate: "e", authz.Write: "w", authz.Admin: "a",
	}
	r := newRig(t, authz.KeysOptions{PublicSets: []string{"open"}})
	for _, role := range authz.Roles() {
		for _, sets := range [][]string{nil, {"shop"}, {"blog", "shop"}} {
			text, _ := r.make(authz.Key{Role: role, Sets: sets})
			who := r.mustLogin(text)
			for action, letter := range letters {
				allowed := strings.Contains(may[role], letter)
				for set, want := range map[string]bool{
					"shop": allowed,
					"none": allowed && sets == nil,
					"open": allowed && sets == nil,
					"":     allowed && (sets == nil || action == authz.List),
				} {
					err := r.keys.Decide(who, action, set)
					if (err == nil) != want || err != nil && !errors.Is(err, authz.ErrDenied) {
						t.Errorf("%s for %v: %s %q: %v, want allowed %t", role, sets, action, set, err, want)
					}
				}
			}
		}
	}
	for action := range letters {
		for _, set := range []string{"shop", "open", ""} {
			err := r.keys.Decide(authz.Principal{}, action, set)
			want := set == "open" && (action == authz.Evaluate || action == authz.Sync)
			if (err == nil) != want || err != nil && !errors.Is(err, authz.ErrUnauthenticated) {
				t.Errorf("anonymous: %s %q: %v, want allowed %t", action, set, err, want)
			}
		}
	}
}

func TestOnlySet(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	for want, sets := range map[string][]string{"shop": {"shop", "shop"}, "": {"shop", "blog"}} {
		text, _ := r.make(authz.Key{Role: authz.Reader, Sets: sets})
		if got := r.mustLogin(text).OnlySet(); got != want {
			t.Errorf("of %v the only set is %q, want %q", sets, got, want)
		}
	}
	if got := (authz.Principal{}).OnlySet(); got != "" {
		t.Errorf("of the anonymous one it is %q", got)
	}
}

// TestActor: whom a policy knows cannot write under another's name.
func TestActor(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	text, key := r.make(authz.Key{Role: authz.Editor})
	named, _ := r.make(authz.Key{Role: authz.Editor, Name: "deploy bot"})
	claim := flags.Actor{Kind: "user", ID: "root", Via: "flagctl"}
	for text, want := range map[string]flags.Actor{
		text: {Kind: "key", ID: key.ID, Via: "flagctl"}, named: {Kind: "key", ID: "deploy bot", Via: "flagctl"},
	} {
		if got := r.mustLogin(text).Actor(claim); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	open, err := authz.Open{}.Authenticate(authz.Credentials{Authorization: "Bearer x"})
	if err != nil || open.Actor(claim) != claim {
		t.Errorf("with access control off the claim became %+v, %v", open.Actor(claim), err)
	}
}

// TestBadCredentials: each is one clear error that tells nothing of what was shown, nor
// whether there is such a key; none is in the log.
func TestBadCredentials(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	text, key := r.make(authz.Key{Role: authz.Reader})
	otherSecret := text[:len(text)-52] + strings.Repeat("a", 52)
	otherID := "hf_aaaaaaaaaa" + text[len("hf_")+10:]
	_, wrongSecret := r.login(otherSecret)
	_, wrongID := r.login(otherID)
	if !errors.Is(wrongSecret, authz.ErrUnauthenticated) || wrongSecret.Error() != wrongID.Error() {
		t.Errorf("whether key %s exists can be told: %v / %v", key.ID, wrongSecret, wrongID)
	}
	for _, header := range []string{
		"Bearer", "Bearer ", "Basic " + text, text, "Bearer " + text[1:], "Bearer " + text + "a", "Bearer " + strings.ToUpper(text),
		"Bearer " + text + ", Bearer " + text, "Bearer hf_\u00e9\u00e9\u00e9\u00e9\u00e9_" + text[14:], "Bearer " + strings.Repeat("x", 1<<20), "Bearer \x00\n\x1b[31m",
		"Bearer hf_a/b_cdefgh_" + strings.Repeat("a", 52),
	} {
		_, err := r.keys.Authenticate(authz.Credentials{Authorization: header})
		if !errors.Is(err, authz.ErrUnauthenticated) {
			t.Fatalf("%.40q: %v", header, err)
		}
		if msg := err.Error(); len(msg) > 150 || strings.ContainsAny(msg, "\n\x00\x1b") || strings.Contains(msg, key.ID) {
			t.Errorf("%.40q: %q", header, msg)
		}
	}
	if secret := text[14:]; strings.Contains(r.log.String(), secret) {
		t.Error("a secret is in the log")
	}
}

// TestRevocation: rights end everywhere at once, and at other routers within a poll.
func TestRevocation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		other, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: r.records})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go other.Run(ctx)
		text, key := r.make(authz.Key{Role: authz.Reader})
		time.Sleep(1100 * time.Millisecond)
		here := r.mustLogin(text)
		there, err := other.Authenticate(authz.Credentials{Authorization: "Bearer " + text})
		if err != nil {
			t.Fatal(err)
		}
		atHere, stopHere := authz.Bind(t.Context(), here)
		atThere, stopThere := authz.Bind(t.Context(), there)
		defer stopHere()
		defer stopThere()
		if _, err := authz.RevokeKey(t.Context(), r.keys.Records(), key.ID, "ana"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(context.Cause(atHere), authz.ErrUnauthenticated) {
			t.Errorf("a stream here: %v", context.Cause(atHere))
		}
		if atThere.Err() != nil {
			t.Error("a stream there has ended before anybody there could know")
		}
		time.Sleep(1100 * time.Millisecond)
		if !errors.Is(context.Cause(atThere), authz.ErrUnauthenticated) {
			t.Errorf("a stream there: %v", context.Cause(atThere))
		}
		_, err = r.login(text)
		if !errors.Is(err, authz.ErrUnauthenticated) || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("logging in: %v", err)
		}
		if err := r.keys.Decide(here, authz.Read, "shop"); !errors.Is(err, authz.ErrUnauthenticated) {
			t.Errorf("deciding: %v", err)
		}
		keys, err := authz.ListKeys(t.Context(), r.records)
		if err != nil || len(keys) != 1 || keys[0].State(time.Now()) != "revoked" || keys[0].RevokedBy != "ana" {
			t.Errorf("%+v, %v", keys, err)
		}
		stop()
		synctest.Wait()
	})
}

// TestExpiry ends rights without any database.
func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Reader, Expires: time.Now().Add(time.Hour)})
		ctx, stop := authz.Bind(t.Context(), r.mustLogin(text))
		defer stop()
		_ = r.records.Close()
		time.Sleep(time.Hour - time.Second)
		if _, err := r.login(text); err != nil || ctx.Err() != nil {
			t.Fatalf("too early: %v, %v", err, ctx.Err())
		}
		time.Sleep(2 * time.Second)
		if _, err := r.login(text); !errors.Is(err, authz.ErrUnauthenticated) || !strings.Contains(err.Error(), "expired") {
			t.Errorf("logging in: %v", err)
		}
		if !errors.Is(context.Cause(ctx), authz.ErrUnauthenticated) {
			t.Errorf("a stream: %v", context.Cause(ctx))
		}
	})
}

// TestUnreadableKeys: an outage of the database changes nothing and is in the log once.
func TestUnreadableKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Reader})
		ctx, stop := context.WithCancel(t.Context())
		go r.keys.Run(ctx)
		_ = r.records.Close()
		time.Sleep(time.Minute)
		if _, err := r.login(text); err != nil {
			t.Error(err)
		}
		stop()
		synctest.Wait()
		if n := strings.Count(r.log.String(), "cannot be read"); n != 1 {
			t.Errorf("said %d times", n)
		}
	})
}

// TestLastUsed is noted once a minute, and when the router stops.
func TestLastUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Reader})
		ctx, stop := context.WithCancel(t.Context())
		go r.keys.Run(ctx)
		last := func() time.Time {
			keys, err := authz.ListKeys(t.Context(), r.records)
			if err != nil || len(keys) != 1 {
				t.Fatalf("%v, %v", keys, err)
			}
			return keys[0].LastUsed
		}
		r.mustLogin(text)
		first := time.Now()
		if !last().IsZero() {
			t.Error("noted at once")
		}
		time.Sleep(61 * time.Second)
		if !last().Equal(first) {
			t.Errorf("noted as %v, was %v", last(), first)
		}
		r.mustLogin(text)
		second := time.Now()
		stop()
		synctest.Wait()
		if d := second.Sub(last()); d < 0 || d > time.Second {
			t.Errorf("noted as %v, was %v", last(), second)
		}
	})
}

func TestKeyRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Reader, Rate: 5})
		for range 5 {
			r.mustLogin(text)
		}
		_, err := r.login(text)
		var limit *authz.LimitError
		if !errors.As(err, &limit) || !errors.Is(err, authz.ErrLimited) || limit.Seconds() != "1" {
			t.Fatalf("the sixth at once: %v", err)
		}
		time.Sleep(limit.After)
		r.mustLogin(text)
	})
}

// TestFailedLogins are limited by address, and do not lock out who has a key.
func TestFailedLogins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Reader})
		fail := func(address string) error {
			_, err := r.keys.Authenticate(authz.Credentials{Authorization: "Bearer x", Address: address})
			return err
		}
		until := func(address string) (n int) {
			for ; errors.Is(fail(address), authz.ErrUnauthenticated); n++ {
			}
			return n
		}
		if n := until("192.0.2.1:1"); n != 10 {
			t.Errorf("%d failed logins were answered", n)
		}
		r.mustLogin(text) // of the same address
		if err := fail("192.0.2.2:1"); !errors.Is(err, authz.ErrUnauthenticated) {
			t.Errorf("another address: %v", err)
		}
		if n := until("[2001:db8::1]:1"); n != 10 {
			t.Errorf("%d of an IPv6 address", n)
		}
		if err := fail("[2001:db8::2]:1"); !errors.Is(err, authz.ErrLimited) {
			t.Errorf("its neighbour: %v", err)
		}
		time.Sleep(7 * time.Second)
		if n := until("192.0.2.1:1"); n != 1 {
			t.Errorf("%d after a pause", n)
		}
		for i := range 5000 { // more addresses than are told apart
			if err := fail(fmt.Sprintf("10.0.%d.%d:1", i/250, i%250)); err == nil {
				t.Fatal("let in")
			}
		}
	})
}

// TestFirstKey is made once for all routers of a database.
func TestFirstKey(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	text, err := authz.FirstKey(t.Context(), r.records)
	if err != nil || text == "" {
		t.Fatalf("%q, %v", text, err)
	}
	if again, err := authz.FirstKey(t.Context(), r.records); err != nil || again != "" {
		t.Errorf("made again: %v", err)
	}
	if err := r.keys.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.keys.Decide(r.mustLogin(text), authz.Admin, ""); err != nil {
		t.Error(err)
	}
}

func TestInvalidKeys(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprint("set", i)
	}
	for name, k := range map[string]authz.Key{
		"no role":       {},
		"a made-up one": {Role: "root"},
		"a set":         {Role: authz.Reader, Sets: []string{"no set"}},
		"many sets":     {Role: authz.Reader, Sets: many},
		"a long name":   {Role: authz.Reader, Name: strings.Repeat("n", 101)},
		"a bad name":    {Role: authz.Reader, Name: "a\u202eb"},
		"a rate":        {Role: authz.Reader, Rate: -1},
		"the past":      {Role: authz.Reader, Expires: time.Now().Add(-time.Hour)},
	} {
		if _, _, err := authz.CreateKey(t.Context(), r.records, k); !errors.Is(err, flags.ErrInvalid) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", name, err)
		}
	}
	r.make(authz.Key{Role: authz.Reader, Name: "ci"})
	if _, _, err := authz.CreateKey(t.Context(), r.records, authz.Key{Role: authz.Reader, Name: "ci"}); !errors.Is(err, store.ErrExists) {
		t.Errorf("a name twice: %v", err)
	}
	if _, err := authz.RevokeKey(t.Context(), r.records, "aaaaaaaaaa", ""); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("revoking nothing: %v", err)
	}
}

// TestForgedRecord: a record that is no key lets nobody in and keeps nobody out.
func TestForgedRecord(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	text, key := r.make(authz.Key{Role: authz.Reader})
	for id, data := range map[string]string{
		"bbbbbbbbbb": "{", "cccccccccc": `{"id":"` + key.ID + `","role":"admin"}`, "dddddddddd": `{"id":"dddddddddd","role":"admin","hash":""}`,
	} {
		if _, err := r.keys.Records().PutRecord(t.Context(), store.Item{Kind: "apikey", ID: id, Bytes: []byte(data)}); err != nil {
			t.Fatal(err)
		}
		if _, err := r.login("hf_" + id + "_" + strings.Repeat("a", 52)); !errors.Is(err, authz.ErrUnauthenticated) {
			t.Errorf("%s: %v", id, err)
		}
	}
	r.mustLogin(text)
}

// TestServe: a request's context ends with the rights of who makes it, once a handler
// has asked who that is.
func TestServe(t *testing.T) {
	r := newRig(t, authz.KeysOptions{})
	text, key := r.make(authz.Key{Role: authz.Reader})
	var cause error
	h := authz.Serve(r.keys, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		for range 2 {
			if who, err := authz.Identify(req.Context(), r.keys, req.Header); err != nil || who.ID != key.ID {
				t.Errorf("%v, %v", who, err)
			}
		}
		if _, err := authz.RevokeKey(t.Context(), r.keys.Records(), key.ID, "ana"); err != nil {
			t.Error(err)
		}
		<-req.Context().Done()
		cause = context.Cause(req.Context())
	}))
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
	req.Header.Set("X-Api-Key", text)
	h.ServeHTTP(httptest.NewRecorder(), req)
	if !errors.Is(cause, authz.ErrUnauthenticated) {
		t.Errorf("ended by %v", cause)
	}
}

// TestSabotage: without its guard, each guarantee is seen to be gone.
func TestSabotage(t *testing.T) {
	broken := func(name string) (r *rig, text string, key authz.Key) {
		r = newRig(t, authz.Sabotaged(authz.KeysOptions{}, name))
		text, key = r.make(authz.Key{Role: authz.Reader, Sets: []string{"shop"}})
		return r, text, key
	}
	r, text, key := broken("rights never end")
	if _, err := authz.RevokeKey(t.Context(), r.keys.Records(), key.ID, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.login(text); err != nil {
		t.Errorf("a revoked key without the guard: %v", err)
	}
	r, text, _ = broken("sets are not looked at")
	if err := r.keys.Decide(r.mustLogin(text), authz.Read, "payroll"); err != nil {
		t.Errorf("another set without the guard: %v", err)
	}
	r, text, _ = broken("any secret will do")
	if _, err := r.login(text[:14] + strings.Repeat("a", 52)); err != nil {
		t.Errorf("another secret without the guard: %v", err)
	}
}

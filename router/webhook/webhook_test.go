package webhook_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testenv.Main(m)) }

var secret = []byte("a secret of thirty-two characters")

// receiver is a real HTTP server that notes what it is sent.
type receiver struct {
	t     testing.TB
	pipes *faultnet.Pipes

	mu     sync.Mutex
	got    []string // events and tokens, in order
	bodies [][]byte
	answer func(n int, w http.ResponseWriter, r *http.Request) // of the nth request; nil: 204
}

func receive(t testing.TB) *receiver {
	r := &receiver{t: t, pipes: faultnet.NewPipes()}
	server := &http.Server{Handler: r}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(r.pipes) // ends with the server
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := webhook.Verify(req.Header.Get("Holdfast-Signature"), body, secret, time.Now(), time.Minute); err != nil {
		r.t.Error(err)
	}
	var e struct{ ID, Token, Next string }
	if err := json.Unmarshal(body, &e); err != nil || e.ID != "" && e.ID != req.Header.Get("Holdfast-Delivery") {
		r.t.Errorf("%s: %v, %v", body, err, req.Header)
	}
	r.mu.Lock()
	answer := r.answer
	n := len(r.got)
	token, _, _ := strings.Cut(e.Token+e.Next, "~")
	r.got, r.bodies = append(r.got, req.Header.Get("Holdfast-Event")+" "+token), append(r.bodies, body)
	r.mu.Unlock()
	if answer != nil {
		answer(n, w, req)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (r *receiver) received() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) hook(opts webhook.Options) *webhook.Hook {
	r.t.Helper()
	opts.URL, opts.Secrets = "http://receiver.example/hook?token=do-not-tell", [][]byte{secret}
	opts.Dial = func(ctx context.Context, _, _ string) (net.Conn, error) { return r.pipes.DialContext(ctx) }
	h, err := webhook.New(opts)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(h.Close)
	return h
}

type journal struct {
	t testing.TB
	*memstore.Store
}

func newJournal(t testing.TB) *journal {
	j := &journal{t, memstore.New(nil)}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func (j *journal) apply(c flags.Commit) flags.Head {
	j.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := j.Apply(j.t.Context(), c)
	if err != nil {
		j.t.Fatal(err)
	}
	return accepted.Head()
}

func (j *journal) create(set string) flags.Head {
	return j.apply(flags.Commit{Set: set, Op: flags.OpCreate})
}

func (j *journal) write(set string, n int) flags.Head {
	def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
	return j.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: def}}})
}

// bring brings a hook to a head, in as many rounds as it takes.
func bring(t testing.TB, h *webhook.Hook, head flags.Head) error {
	t.Helper()
	at, err := h.Locate(t.Context(), head.Set)
	for rounds := 0; err == nil && at.Version != head.Version; rounds++ {
		if rounds == 100 {
			t.Fatalf("at %s after %d rounds", at.Token(), rounds)
		}
		at, err = h.Bring(t.Context(), head, at)
	}
	return err
}

func wants(t testing.TB, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("received %q, want %q", got, want)
	}
}

func TestDelivery(t *testing.T) {
	r, j := receive(t), newJournal(t)
	j.create("shop")
	head := j.write("shop", 1)
	h := r.hook(webhook.Options{Records: j, Journal: j})
	if err := bring(t, h, head); err != nil {
		t.Fatal(err)
	}
	wants(t, r.received()) // what was before the hook is not delivered
	head = j.write("shop", 2)
	head2 := j.create("new")
	for _, to := range []flags.Head{head, head2} {
		if err := bring(t, h, to); err != nil {
			t.Fatal(err)
		}
	}
	wants(t, r.received(), "commit shop@0.3", "commit new@0.1") // all of a set that is newer than the hook
	var body struct {
		Set, Token, Op string
		Changes        []struct{ Kind, Name string }
	}
	if err := json.Unmarshal(r.bodies[0], &body); err != nil || body.Set != "shop" || body.Token != head.Token().String() || body.Op != "change" || body.Changes[0].Name != "n" {
		t.Errorf("%s: %v", r.bodies[0], err)
	}
	// Another one, as after a restart, goes on from there.
	j.write("shop", 3)
	head = j.write("shop", 4)
	again := r.hook(webhook.Options{Records: j, Journal: j, Alone: true})
	if err := bring(t, again, head); err != nil {
		t.Fatal(err)
	}
	wants(t, r.received()[2:], "commit shop@0.4", "commit shop@0.5")
	if strings.Contains(h.Name(), "do-not-tell") {
		t.Error("the name tells secrets")
	}
}

// TestFailures: whatever a receiver does, the next attempt goes on with the commit that
// it has not taken.
func TestFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		elsewhere := make(chan string, 10)
		for name, fail := range map[string]func(w http.ResponseWriter, r *http.Request){
			"error":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
			"forbidden": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) },
			"redirect": func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.URL.Path, "/other") {
					elsewhere <- r.URL.Path
				}
				http.Redirect(w, r, "/other", http.StatusPermanentRedirect)
			},
			"hang": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			"cut":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		} {
			r, j := receive(t), newJournal(t)
			h := r.hook(webhook.Options{Records: j, Journal: j})
			if err := bring(t, h, j.create("shop")); err != nil { // delivers nothing: the set is older
				t.Fatal(err)
			}
			j.write("shop", 1)
			head := j.write("shop", 2)
			r.answer = func(n int, w http.ResponseWriter, req *http.Request) {
				if n == 1 || n == 2 {
					fail(w, req)
				}
			}
			began := time.Now()
			for range 2 {
				err := bring(t, h, head)
				if err == nil || strings.Contains(err.Error(), "do-not-tell") || errors.Is(err, context.Canceled) {
					t.Errorf("%s: %v", name, err)
				}
			}
			if took := time.Since(began); took > 21*time.Second {
				t.Errorf("%s: took %v", name, took)
			}
			if err := bring(t, h, head); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wants(t, r.received(), "commit shop@0.2", "commit shop@0.3", "commit shop@0.3", "commit shop@0.3")
		}
		select {
		case path := <-elsewhere:
			t.Errorf("the redirect to %s was followed", path)
		default:
		}
	})
}

// TestEarlyCursor is the twin of TestFailures: with cursors that move on before the
// delivery, what a receiver has not taken never comes.
func TestEarlyCursor(t *testing.T) {
	r, j := receive(t), newJournal(t)
	h := r.hook(webhook.Options{Records: j, Journal: j}.Early())
	if err := bring(t, h, j.create("shop")); err != nil {
		t.Fatal(err)
	}
	j.write("shop", 1)
	head := j.write("shop", 2)
	r.answer = func(n int, w http.ResponseWriter, _ *http.Request) {
		if n == 0 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	if err := bring(t, h, head); err == nil {
		t.Fatal("a failed delivery is none")
	}
	if err := bring(t, h, head); err != nil {
		t.Fatal(err)
	}
	wants(t, r.received(), "commit shop@0.2", "commit shop@0.3")
}

// TestEndlessAnswer: of an answer without end a little is read.
func TestEndlessAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := receive(t), newJournal(t)
		h := r.hook(webhook.Options{Records: j, Journal: j})
		if err := bring(t, h, j.create("shop")); err != nil {
			t.Fatal(err)
		}
		stopped := make(chan struct{})
		r.answer = func(_ int, w http.ResponseWriter, _ *http.Request) {
			defer close(stopped)
			for {
				if _, err := w.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}
		if err := bring(t, h, j.write("shop", 1)); err != nil {
			t.Error(err)
		}
		<-stopped
	})
}

// TestGap: commits that the journal has lost are not passed over in silence.
func TestGap(t *testing.T) {
	r, j := receive(t), newJournal(t)
	h := r.hook(webhook.Options{Records: j, Journal: j})
	if err := bring(t, h, j.create("shop")); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		j.write("shop", i)
	}
	if err := j.Compact(t.Context(), "shop", 2); err != nil {
		t.Fatal(err)
	}
	head, err := j.Head(t.Context(), "shop")
	if err != nil {
		t.Fatal(err)
	}
	if err := bring(t, h, head); err != nil {
		t.Fatal(err)
	}
	got := r.received()
	if d := h.Last("shop"); d.Gaps != 1 || d.Status != http.StatusNoContent {
		t.Errorf("noted are %+v", d)
	}
	if len(got) < 2 || !strings.HasPrefix(got[0], "gap shop@0.") || got[len(got)-1] != "commit shop@0.6" || got[0][4:] != got[1][7:] {
		t.Errorf("received %q", got)
	}
}

// TestEpochs: a set that was deleted and created again goes on where it went on.
func TestEpochs(t *testing.T) {
	r, j := receive(t), newJournal(t)
	h := r.hook(webhook.Options{Records: j, Journal: j})
	if err := bring(t, h, j.create("shop")); err != nil {
		t.Fatal(err)
	}
	j.write("shop", 1)
	j.apply(flags.Commit{Set: "shop", Op: flags.OpDelete})
	j.create("shop")
	if err := bring(t, h, j.write("shop", 2)); err != nil {
		t.Fatal(err)
	}
	wants(t, r.received(), "commit shop@0.2", "commit shop@0.3", "commit shop@1.1", "commit shop@1.2")
}

// TestAnotherHistory: a set that was lost and began anew is delivered from its beginning,
// though its revisions are below what was delivered of the old one.
func TestAnotherHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the second hook waits for the right of the first to end
		r, old := receive(t), newJournal(t)
		h := r.hook(webhook.Options{Records: old, Journal: old})
		if err := bring(t, h, old.create("shop")); err != nil {
			t.Fatal(err)
		}
		old.write("shop", 1)
		if err := bring(t, h, old.write("shop", 2)); err != nil {
			t.Fatal(err)
		}
		anew := newJournal(t)
		h = r.hook(webhook.Options{Records: old, Journal: anew})
		anew.create("shop")
		if err := bring(t, h, anew.write("shop", 3)); err != nil {
			t.Fatal(err)
		}
		if err := bring(t, h, anew.write("shop", 4)); err != nil {
			t.Fatal(err)
		}
		wants(t, r.received(), "commit shop@0.2", "commit shop@0.3", "gap shop@0.1", "commit shop@0.1", "commit shop@0.2", "commit shop@0.3")
	})
}

// TestTwoRouters: one of them delivers; the other takes over where it has died.
func TestTwoRouters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, j := receive(t), newJournal(t)
		one, two := r.hook(webhook.Options{Records: j, Journal: j}), r.hook(webhook.Options{Records: j, Journal: j})
		if err := bring(t, one, j.create("shop")); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for i := range 3 {
			head := j.write("shop", i)
			for _, h := range []*webhook.Hook{one, two} {
				both.Go(func() {
					if err := bring(t, h, head); err != nil {
						t.Error(err)
					}
				})
			}
			both.Wait()
		}
		wants(t, r.received(), "commit shop@0.2", "commit shop@0.3", "commit shop@0.4")
		began := time.Now()
		// Whoever delivered is not heard of any more.
		head := j.write("shop", 9)
		third := r.hook(webhook.Options{Records: j, Journal: j})
		if err := bring(t, third, head); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited < 20*time.Second || waited > time.Minute {
			t.Errorf("took over after %v", waited)
		}
		wants(t, r.received()[3:], "commit shop@0.5")
	})
}

// TestLongCommit: values of a commit that is too large to post are left to the history.
func TestLongCommit(t *testing.T) {
	r, j := receive(t), newJournal(t)
	h := r.hook(webhook.Options{Records: j, Journal: j})
	if err := bring(t, h, j.create("shop")); err != nil {
		t.Fatal(err)
	}
	var c flags.Commit
	c.Set = "shop"
	for i := range 6 {
		def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%q}}`, strings.Repeat("x", 900<<10))
		c.Changes = append(c.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprint(i)), Bytes: def})
	}
	if err := bring(t, h, j.apply(c)); err != nil {
		t.Fatal(err)
	}
	if body := string(r.bodies[0]); len(body) > 10_000 || !strings.Contains(body, `"valuesOmitted":true`) || !strings.Contains(body, `"name":"5"`) {
		t.Errorf("%d bytes: %.300s", len(body), body)
	}
}

func TestBadOptions(t *testing.T) {
	for _, bad := range []string{"", "ftp://a/b", "http://", "https://user:hush@a/", "http://a/#f", "http://a/%zz", "//a/b", "a/b"} {
		if _, err := webhook.New(webhook.Options{URL: bad, Secrets: [][]byte{secret}}); !errors.Is(err, flags.ErrInvalid) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, secrets := range [][][]byte{nil, {[]byte("short")}} {
		if _, err := webhook.New(webhook.Options{URL: "http://a/", Secrets: secrets}); !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%q: %v", secrets, err)
		}
	}
}

func TestVerify(t *testing.T) {
	now := time.Unix(1767225600, 0)
	other := []byte("another secret of some characters")
	header := webhook.Sign([]byte("body"), now, other, secret) // while one replaces the other
	for _, c := range []struct {
		header, body string
		now          time.Time
		ok           bool
	}{
		{header, "body", now, true},
		{header, "body", now.Add(4 * time.Minute), true},
		{header, "body", now.Add(6 * time.Minute), false},
		{header, "body", now.Add(-6 * time.Minute), false},
		{header, "Body", now, false},
		{strings.Replace(header, "t=1", "t=2", 1), "body", now, false},
		{webhook.Sign([]byte("body"), now, other), "body", now, false},
		{"t=1767225600", "body", now, false},
		{"v1=00", "body", now, false},
		{"t=1767225600,v1=zz", "body", now, false},
		{"", "body", now, false},
	} {
		if err := webhook.Verify(c.header, []byte(c.body), secret, c.now, 5*time.Minute); (err == nil) != c.ok || err != nil && !errors.Is(err, webhook.ErrSignature) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

package flags_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// A stream beats every 10 s. Where less age than that is allowed, its primary is asked in
// between: what is held never goes stale while the primary can say that it is not, and one
// that is asked while a commit is on its way has not lost its stream.
func TestBoundCloserThanBeats(t *testing.T) {
	for name, bound := range map[string]rung{
		"strict": func(_ *testing.T, _ *ladder, o *flags.Options) { o.MaxStaleness, o.Strict = 4*time.Second, true },
		"fresh":  func(_ *testing.T, _ *ladder, o *flags.Options) { o.FreshFor = 3 * time.Second },
		"lifetime": func(_ *testing.T, _ *ladder, o *flags.Options) {
			o.Lifetime = func(*flags.Snapshot) (ttl, margin time.Duration) { return 2 * time.Second, 200 * time.Millisecond }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := climb(t, bound)
				l.primary.mu.Lock()
				l.primary.answer = after(200 * time.Millisecond) // the stream stays
				l.primary.mu.Unlock()
				time.Sleep(time.Millisecond) // after the first stream was opened
				began := time.Now()
				for i := range 1200 {
					time.Sleep(100 * time.Millisecond)
					if i > 600 && i%21 == 0 { // while the head is on its way
						write(t, l.primary.store, putFlag("beta", onFlag))
					}
					if d := l.BoolDetails(t.Context(), "beta", anyone, true); d.ErrorCode != flags.ErrorNone || d.Freshness != flags.FreshnessFresh {
						t.Fatalf("after %v: %v, %v, age %v", time.Since(began), d.ErrorCode, d.Freshness, d.Age())
					}
				}
				if s, _ := l.Status().ByName("primary"); s.State != "streaming" || len(s.Errors) != 0 || l.primary.count("watch", began) != 0 {
					t.Errorf("%s, errors %v, %d new streams", s.State, s.Errors, l.primary.count("watch", began))
				}
				if n := l.primary.count("head", began); n > 240 {
					t.Errorf("%d heads in two minutes", n)
				}
			})
		})
	}
}

// Who allows more age than a stream has between its beats asks for nothing.
func TestBeatsSuffice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		began := time.Now()
		time.Sleep(10 * time.Minute)
		if n := l.primary.count("head", began); n != 0 {
			t.Errorf("%d heads while the stream beats", n)
		}
	})
}

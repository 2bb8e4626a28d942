package flags_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// dated is a primary that has an origin of its own, from which it may be cut off.
type dated struct {
	flags.Source
	cut atomic.Pointer[time.Time]
}

func (d *dated) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	asOf := time.Now()
	if cut := d.cut.Load(); cut != nil {
		asOf = *cut
	}
	h, err := d.Head(ctx, set)
	return h, asOf, err
}

// TestSecondhand: a primary that only repeats what it heard once confirms nothing as the
// newest. Where it does not say so, which is the twin, it is believed.
func TestSecondhand(t *testing.T) {
	for _, says := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			relay := &dated{}
			l := climb(t, func(_ *testing.T, l *ladder, o *flags.Options) {
				relay.Source = l.primary
				if o.Primary.Source = relay; !says {
					o.Primary.Source = struct{ flags.Source }{relay}
				}
			})
			waitFor(t, time.Second, "stream", l.streaming)
			fresh := func() flags.Freshness {
				return l.BoolDetails(flags.Fresh(t.Context()), "beta", anyone, false).Freshness
			}
			if got := fresh(); got != flags.FreshnessFresh {
				t.Errorf("connected: %s", got)
			}
			now := time.Now()
			relay.cut.Store(&now)
			time.Sleep(time.Second)
			if got := fresh(); (got == flags.FreshnessNotFresh) != says {
				t.Errorf("cut off, which it tells: %v; the answer is %s", says, got)
			}
			held := l.Token(t.Context())
			if d := l.BoolDetails(flags.AtLeast(t.Context(), held), "beta", anyone, false); d.Freshness != flags.FreshnessFresh {
				t.Errorf("what is held is demanded: %s", d.Freshness)
			}
			if n := len(l.tripped()); n != 0 {
				t.Errorf("tripped %d times", n)
			}
			relay.cut.Store(nil)
			if got := fresh(); got != flags.FreshnessFresh {
				t.Errorf("connected again: %s", got)
			}
			l.check(t)
		})
	}
}

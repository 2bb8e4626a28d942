package flags_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/filestore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// A secondary that tells its head and has only bad sets is out of order: its gate opens
// like that of one that is down, and its cooldown grows.
func TestSecondaryWithBadSets(t *testing.T) {
	twins(t, flags.WithoutSetGuard, func(t *testing.T, guard rung) bool {
		l := climb(t, guard)
		time.Sleep(20 * time.Second) // past the trial of the secondary
		l.primary.set(refuse)
		apply(t, l.secondary.store, flags.OpChange, putFlag("beta", onFlag))
		l.secondary.bendBy(func(u flags.Update) flags.Update { u.Head = drifted(u.Head); return u })
		began := time.Now()
		time.Sleep(10 * time.Minute)
		wantLayer(t, l.Client, "primary", 1, flags.FreshnessStale)
		s, _ := l.Status().ByName("secondary")
		if s.RefusedDigest == 0 || s.Unclassified != 0 {
			t.Errorf("Status says %+v", s)
		}
		return l.secondary.count("head", began) > 20 // four, then 15, 30, 60, 60 s apart
	})
}

// A process that holds nothing asks a secondary that fails in a hurry, also where the cache
// says that it has nothing.
func TestColdProcessIsInAHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nothing := newFault(memstore.New(nil))
		defer closed(t, nothing.store)
		nothing.set(say(flags.ClassNotFound))
		began := time.Now()
		l := climb(t, func(_ *testing.T, l *ladder, o *flags.Options) {
			o.Cache, o.StartTimeout = flags.Layer{Source: nothing}, -1
			l.primary.set(refuse)
			l.secondary.set(refuse)
		})
		time.Sleep(4500 * time.Millisecond)
		if n := l.secondary.count("head", began); n != 4 {
			t.Errorf("asked %d times in 4.5 s, want at once and three times more", n)
		}
	})
}

// stuckDisk never answers, whatever its caller says: a disk that is gone.
type stuckDisk struct{ release chan struct{} }

func (d stuckDisk) Head(context.Context, string) (flags.Head, error) {
	<-d.release
	return flags.Head{}, &flags.SourceError{Class: flags.ClassTransient, Op: "stuck", Err: errors.New("gone")}
}

func (d stuckDisk) Fetch(ctx context.Context, set string, _ flags.Head) (flags.Update, error) {
	h, err := d.Head(ctx, set)
	return flags.Update{Head: h}, err
}

// A disk that hangs delays a start by half a second, and Close by nothing.
func TestDiskHangsAtStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := stuckDisk{make(chan struct{})}
		began := time.Now()
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Disk = flags.Layer{Source: disk} })
		if took := time.Since(began); took > 600*time.Millisecond {
			t.Errorf("New took %v", took)
		}
		wantLayer(t, l.Client, "primary", 1, flags.FreshnessFresh)
		began = time.Now()
		closed(t, l.Client)
		if took := time.Since(began); took > 0 {
			t.Errorf("Close took %v", took)
		}
		close(disk.release)
	})
}

// tellings remembers what a sink was told, and when.
type tellings struct {
	mu sync.Mutex
	at []time.Time
}

func (p *tellings) Put(_ context.Context, u flags.Update, _ func() *flags.Checkpoint) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = append(p.at, u.AsOf)
	return nil
}

// The file is told now and then that what it has is still so, not at each heartbeat, and
// at the end.
func TestDiskIsConfirmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &tellings{}
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) { o.Disk = flags.Layer{Sink: p} })
		time.Sleep(65 * time.Minute)
		p.mu.Lock()
		if n := len(p.at); n < 5 || n > 10 {
			t.Errorf("told %d times in 65 min", n)
		}
		p.mu.Unlock()
		time.Sleep(4 * time.Minute)
		closed(t, l.Client)
		if age := time.Since(p.at[len(p.at)-1]); age > time.Minute {
			t.Errorf("the last it was told was %v old", age)
		}
	})
}

// So the next start knows how old it is to the minute, not since the last change.
func TestRestartKnowsItsAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "flags.lkg")
		disk := func(_ *testing.T, _ *ladder, o *flags.Options) {
			lkg := filestore.NewLastKnownGood(path, "default", &filestore.LKGOptions{Logger: quiet})
			o.Disk = flags.Layer{Source: lkg, Sink: lkg}
			o.Owned = append(o.Owned, lkg)
		}
		first := climb(t, disk)
		time.Sleep(3 * time.Hour)
		closed(t, first.Client)
		time.Sleep(time.Minute)
		again := climb(t, disk, func(_ *testing.T, l *ladder, _ *flags.Options) { l.primary.set(refuse); l.secondary.set(refuse) })
		if age := again.Status().Age; age < time.Minute || age > 2*time.Minute {
			t.Errorf("age %v", age)
		}
	})
}

// A secondary that is behind, or holds something else, is told of: to hooks each time, to
// the log once in ten minutes.
func TestDifferencesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var mu sync.Mutex
		drifts, most := 0, uint64(0)
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) {
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			o.Observer.Compared = func(_ string, lag uint64, drift bool) {
				mu.Lock()
				defer mu.Unlock()
				most = max(most, lag)
				if drift {
					drifts++
				}
			}
		})
		time.Sleep(time.Minute)
		l.secondary.bendHead(drifted)
		time.Sleep(10 * time.Minute)
		l.secondary.bendHead(nil)
		for range 5 {
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
			apply(t, l.primary.store, flags.OpChange, putFlag("beta", switchFlag))
		}
		time.Sleep(20 * time.Minute)
		closed(t, l.Client)
		if drifts < 8 || most != 10 {
			t.Errorf("told of %d drifts and a lag of %d, want about 10 and 10", drifts, most)
		}
		if n := strings.Count(log.String(), "holds something else"); n < 1 || n > 2 {
			t.Errorf("drift was logged %d times:\n%s", n, log.String())
		}
		if n := strings.Count(log.String(), "is behind"); n < 1 || n > 3 {
			t.Errorf("lag was logged %d times:\n%s", n, log.String())
		}
	})
}

// An error that its driver has not classified is an outage to the ladder, and a fault of
// the driver to whoever looks.
func TestUnclassified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := make(chan string, 1000)
		l := climb(t, func(_ *testing.T, _ *ladder, o *flags.Options) {
			o.Observer.Unclassified = func(layer, op string, _ error) { seen <- layer + " " + op }
		})
		time.Sleep(time.Minute)
		if n := len(seen); n != 0 {
			t.Errorf("%d unclassified errors while all is well", n)
		}
		l.primary.set(func(context.Context, string) error { return errors.New("whatever") })
		time.Sleep(time.Minute)
		if s, _ := l.Status().ByName("primary"); s.Unclassified == 0 || len(seen) == 0 {
			t.Errorf("nothing was told: %+v", s)
		}
		wantLayer(t, l.Client, "secondary", 1, flags.FreshnessFresh)
	})
}

// What a stream brings is counted, as is what was asked for.
func TestBytesOfStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		whole, _ := l.Status().ByName("primary")
		if want := l.Status().Standby.BytesPerRefresh; whole.Bytes != want {
			t.Errorf("%d bytes in a set of %d", whole.Bytes, want)
		}
		apply(t, l.primary.store, flags.OpChange, putFlag("beta", onFlag))
		time.Sleep(time.Minute)
		after, _ := l.Status().ByName("primary")
		if brought := after.Bytes - whole.Bytes; brought == 0 || brought > uint64(2*len(onFlag)) {
			t.Errorf("%d bytes for a flag of %d", brought, len(onFlag))
		}
	})
}

// What an outage would ask of the secondary is known before.
func TestStandby(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := climb(t)
		if s := l.Status().Standby; s.ReadsPerSecond != 0.2 || s.BytesPerRefresh < 50 || s.BytesPerRefresh > 500 {
			t.Errorf("got %+v", s)
		}
	})
}

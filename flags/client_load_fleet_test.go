package flags_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// house is many processes, each with breakers of its own, over one primary and one secondary.
type house struct {
	primary, secondary *fault
	processes          []*process
}

type process struct {
	*flags.Client
	secondary *oneAtATime

	mu    sync.Mutex
	opens time.Time // when the primary's gate lets a probe through next
}

// oneAtATime is a process' own way to the secondary; it knows how many calls were under way at once.
type oneAtATime struct {
	flags.Source
	mu        sync.Mutex
	now, most int
}

func (o *oneAtATime) enter() (leave func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now++
	o.most = max(o.most, o.now)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.now--
	}
}

func (o *oneAtATime) mostAtOnce() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.most
}

func (o *oneAtATime) Head(ctx context.Context, set string) (flags.Head, error) {
	defer o.enter()()
	time.Sleep(2 * time.Millisecond) // a round trip
	return o.Source.Head(ctx, set)
}

func (o *oneAtATime) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	defer o.enter()()
	time.Sleep(2 * time.Millisecond)
	return o.Source.Fetch(ctx, set, have)
}

// launch starts n processes that follow one set, and waits until all are past their start.
func launch(t *testing.T, n int, rungs ...func(*flags.Options)) *house {
	t.Helper()
	f := &house{primary: newFault(memstore.New(nil)), secondary: newFault(memstore.New(nil))}
	t.Cleanup(func() { closed(t, f.primary.store); closed(t, f.secondary.store) })
	create(t, f.primary.store)
	mirror(t, f.primary.store, f.secondary.store)
	for range n {
		p := &process{secondary: &oneAtATime{Source: f.secondary}}
		o := flags.Options{
			Primary: flags.Layer{Source: f.primary, Watcher: f.primary, Gate: newGate("primary", func(trip breaker.Trip) {
				p.mu.Lock()
				defer p.mu.Unlock()
				p.opens = time.Now().Add(trip.Cooldown)
			})},
			Secondary: flags.Layer{Source: p.secondary, Gate: newGate("secondary", nil)},
		}
		for _, r := range rungs {
			r(&o)
		}
		p.Client = open(t, o)
		f.processes = append(f.processes, p)
	}
	time.Sleep(20 * time.Second) // past the first trial of the secondary
	return f
}

func (f *house) streaming() (n int) {
	for _, p := range f.processes {
		if s, _ := p.Status().ByName("primary"); s.State == "streaming" {
			n++
		}
	}
	return n
}

// traffic reads in every process, with every demand that a read can make.
func (f *house) traffic(ctx context.Context, ahead flags.Token) (reads, failed int) {
	for _, p := range f.processes {
		for _, ctx := range []context.Context{ctx, flags.AtLeast(ctx, ahead), flags.Fresh(ctx)} {
			for range 3 {
				reads++
				if d := p.BoolDetails(ctx, "beta", anyone, false); d.ErrorCode != flags.ErrorNone {
					failed++
				}
			}
		}
	}
	busy := 10_000 // of one of them, in ten seconds
	if os.Getenv("HOLDFAST_LONG") != "" {
		busy = 100_000
	}
	for range busy {
		reads++
		if f.processes[0].BoolDetails(ctx, "beta", anyone, false).ErrorCode != flags.ErrorNone {
			failed++
		}
	}
	return reads, failed
}

// busiest returns the most calls of an op within any window of a length since an instant.
func (f *fault) busiest(op string, since time.Time, window time.Duration) (most int) {
	at := f.times(op, since)
	for i, from := 0, 0; i < len(at); i++ {
		for at[i].Sub(at[from]) >= window {
			from++
		}
		most = max(most, i-from+1)
	}
	return most
}

func (f *fault) times(op string, since time.Time) (at []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.calls {
		if c.op == op && !c.at.Before(since) {
			at = append(at, c.at)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	return at
}

// The primary dies under 200 processes at once, while all of them read all the time, many
// reads demanding what nobody can answer. The secondary sees one small read at a time of
// each process, 0.2 a second, however long it lasts: 40 reads a second in all.
func TestFleetOnTheSecondary(t *testing.T) {
	const processes, perSecond = 200, 40
	for name, sabotage := range map[string]func(flags.Options) flags.Options{"guarded": nil, "sabotaged": flags.WithoutBelowGuard} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := launch(t, processes, func(o *flags.Options) {
					if sabotage != nil {
						*o = sabotage(*o)
					}
				})
				began := time.Now()
				f.primary.set(refuse)
				ahead := f.processes[0].Token(t.Context())
				ahead.Revision += 1000
				minutes := 10
				if sabotage != nil {
					minutes = 1 // enough to see it
				}
				reads, byMinute := 0, []int{}
				for range minutes {
					minute := time.Now()
					for range 6 {
						n, failed := f.traffic(t.Context(), ahead)
						if reads += n; failed > 0 {
							t.Fatalf("%d of %d reads failed", failed, n)
						}
						time.Sleep(time.Until(minute.Add(10 * time.Second)))
						minute = minute.Add(10 * time.Second)
					}
					byMinute = append(byMinute, f.secondary.count("head", minute.Add(-time.Minute))-f.secondary.count("head", minute))
				}
				most := f.secondary.busiest("head", began, 5*time.Second)
				if sabotage != nil {
					if most <= 5*perSecond {
						t.Errorf("%d heads in 5 s with the guard off", most)
					}
					return
				}
				t.Logf("%d reads; heads of the secondary by minute: %v, at most %d in 5 s", reads, byMinute, most)
				if most > 5*perSecond {
					t.Errorf("%d heads in 5 s, want at most %d", most, 5*perSecond)
				}
				if first, last := byMinute[1], byMinute[len(byMinute)-1]; last > first*11/10 || last < first*9/10 {
					t.Errorf("%d heads in the second minute, %d in the last", first, last)
				}
				if n := f.secondary.count("fetch", began); n != 0 {
					t.Errorf("%d sets read though nothing has changed", n)
				}
				for i, p := range f.processes {
					if n := p.secondary.mostAtOnce(); n != 1 {
						t.Errorf("process %d had %d calls under way at once", i, n)
					}
				}
				f.changesOnTheSecondary(t)
				matrix.Tally(t, "F29", processes, 0)
			})
		})
	}
}

// changesOnTheSecondary has another router write while this one is down: each process
// reads what changed, once.
func (f *house) changesOnTheSecondary(t *testing.T) {
	t.Helper()
	before, began := f.bytes(), time.Now()
	apply(t, f.primary.store, flags.OpChange, putFlag("beta", onFlag))
	mirror(t, f.primary.store, f.secondary.store)
	time.Sleep(7 * time.Second)
	if n := f.secondary.count("fetch", began); n != len(f.processes) {
		t.Errorf("%d reads of the change by %d processes", n, len(f.processes))
	}
	if n := (f.bytes() - before) / uint64(len(f.processes)); n == 0 || n > 200 {
		t.Errorf("%d bytes for each process, for one toggle", n)
	}
	for i, p := range f.processes {
		if !p.Bool(t.Context(), "beta", anyone, false) {
			t.Errorf("process %d has not seen the toggle", i)
		}
	}
}

func (f *house) bytes() (n uint64) {
	for _, p := range f.processes {
		s, _ := p.Status().ByName("secondary")
		n += s.Bytes
	}
	return n
}

// Processes that lost the primary together do not come back together, neither after an
// outage nor after a mere cut; and they do come back.
func TestFleetReturns(t *testing.T) {
	const processes = 200
	for _, tt := range []struct {
		outage time.Duration
		window time.Duration
		most   int           // streams begun in any such window
		within time.Duration // of the last gate that opens
	}{
		{outage: 12 * time.Second, window: time.Second, most: 70, within: 12 * time.Second},
		{outage: 0, window: 100 * time.Millisecond, most: 50, within: 2 * time.Second},
	} {
		for name, sabotage := range map[string]func(flags.Options) flags.Options{"guarded": nil, "sabotaged": flags.WithoutSpreadGuard} {
			t.Run(fmt.Sprint(tt.outage, " ", name), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := launch(t, processes, func(o *flags.Options) {
						if sabotage != nil {
							*o = sabotage(*o)
						}
					})
					f.primary.set(refuse)
					synctest.Wait()
					time.Sleep(tt.outage)
					f.primary.set(nil)
					back := time.Now()
					last := back
					for _, p := range f.processes {
						p.mu.Lock()
						if p.opens.After(last) {
							last = p.opens
						}
						p.mu.Unlock()
					}
					for f.streaming() < processes {
						if time.Since(last) > tt.within {
							t.Fatalf("%d of %d streams are back", f.streaming(), processes)
						}
						time.Sleep(200 * time.Millisecond)
					}
					most := f.primary.busiest("watch", back, tt.window)
					if crowded := most > tt.most; crowded != (sabotage != nil) {
						t.Errorf("%d of %d streams begun within %v", most, processes, tt.window)
					}
				})
			})
		}
	}
}

// A primary that was away for 50 s, as long as gates take to open for the third time, is
// asked within 2 s of the gate's opening and followed within 12 s. From then on what is
// written there is answered everywhere within a second.
func TestFleetConverges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const processes = 50
		f := launch(t, processes)
		f.primary.set(refuse)
		time.Sleep(50 * time.Second)
		f.primary.set(nil)
		for i, p := range f.processes {
			p.mu.Lock()
			opens := p.opens
			p.mu.Unlock()
			waitFor(t, time.Until(opens.Add(2*time.Second)), fmt.Sprint("probe of process ", i), func() bool {
				s, _ := p.Status().ByName("primary")
				return s.Breaker == flags.GateClosed
			})
		}
		waitFor(t, 12*time.Second, "streams", func() bool { return f.streaming() == processes })
		for i := range 100 {
			text := []string{onFlag, switchFlag}[i%2]
			want := apply(t, f.primary.store, flags.OpChange, putFlag("beta", text)).Version
			began := time.Now()
			for _, p := range f.processes {
				waitFor(t, time.Second-time.Since(began), "the toggle", func() bool { return !p.Token(t.Context()).Before(want) })
			}
		}
	})
}

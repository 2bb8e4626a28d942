package e2e

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// written remembers which commit wrote which number to which flag.
type written struct {
	mu sync.Mutex
	by map[string]map[uint64]int // flag -> revision -> number
}

func (w *written) add(flag string, v flags.Version, number int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.by[flag] == nil {
		w.by[flag] = map[uint64]int{}
	}
	w.by[flag][v.Revision] = number
}

// at returns the number that a flag has at a revision: that of the last commit up to it.
func (w *written) at(flag string, revision uint64) int {
	for ; revision > 0; revision-- {
		if n, ok := w.by[flag][revision]; ok {
			return n
		}
	}
	return -1
}

// asked is what one question with a token, or without, was answered.
type asked struct {
	floor   flags.Token // of the write that was acknowledged before
	carried bool        // by the question
	reading
}

// fleet is a router with a cache and two applications, of which one is a little
// farther away.
type fleet struct {
	apps [2]*process
	st   *grpcstore.Store

	numbers atomic.Int64
	written written

	mu    sync.Mutex
	asked []asked
}

const away = 20 * time.Millisecond // what the second application hears is so much late

func newFleet(t *testing.T) *fleet {
	t.Helper()
	cache := "redis://" + testenv.StartRedis(t).Addr()
	r := startRouter(t, "--cache", cache)
	far, err := faultnet.Listen(r.grpc)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	if err := far.Set(faultnet.Faults{Down: faultnet.Path{Delay: away}}); err != nil {
		t.Fatal(err)
	}
	f := &fleet{written: written{by: map[string]map[uint64]int{}}}
	if f.st, err = grpcstore.Open("grpc://"+r.grpc, &grpcstore.Options{HeadTimeout: patience, WriteTimeout: patience}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.st.Close() })
	f.write(t, "small", 20)
	f.write(t, "large", 100<<10)
	for i, addr := range []string{r.grpc, far.Addr()} {
		f.apps[i] = startProcess(t, "HOLDFAST_PRIMARY=grpc://"+addr, "HOLDFAST_CACHE="+cache)
		if _, ok := f.apps[i].ask(question{Watch: []string{"small", "large"}, Readers: 5}); !ok {
			t.Fatal("the application has ended")
		}
	}
	return f
}

// write gives a flag the next number and returns the token of the commit.
func (f *fleet) write(t *testing.T, flag string, size int) flags.Token {
	t.Helper()
	n := int(f.numbers.Add(1))
	text := fmt.Sprintf(`{"defaultVariant":"it","state":"ENABLED","variants":{"it":%q}}`, numbered(n, size))
	c, err := f.st.Apply(t.Context(), flags.Commit{
		Set: "default", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "system"},
		Changes: []flags.Mutation{{Key: flags.FlagKey(flag), Bytes: []byte(text)}},
	})
	if err != nil {
		t.Errorf("write %d: %v", n, err)
		return flags.Token{}
	}
	f.written.add(flag, c.Version, n)
	return c.Head().Token()
}

// round writes, and reads in one of the processes what was acknowledged: without
// the token, now and then, and with it.
func (f *fleet) round(t *testing.T) {
	t.Helper()
	flag, size := "small", 20
	if rand.IntN(2) == 0 {
		flag, size = "large", 100<<10
	}
	app := rand.IntN(len(f.apps))
	token := f.write(t, flag, size)
	f.ask(t, app, flag, token, rand.IntN(4) > 0)
	f.ask(t, app, flag, token, true)
}

func (f *fleet) ask(t *testing.T, app int, flag string, token flags.Token, carry bool) {
	t.Helper()
	q := question{Flag: flag}
	if carry {
		q.Token = token.String()
	}
	got, ok := f.apps[app].ask(q)
	if !ok {
		t.Errorf("application %d did not answer", app)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, asked{token, carry, got.reading})
}

// TestWritersAndReaders: 4 writers and 10 readers at once, over 2 processes, a router
// and Redis, with values of 20 B and 100 KiB. A read that began after an acknowledgement
// and carries its token is never older; without a token reads never go backwards; and the
// revision of an answer is that of the commit which wrote the value. The same reads without
// their tokens are the twin: they do see older values.
func TestWritersAndReaders(t *testing.T) {
	t.Parallel() // beside TestTokenOfFlagctl, which mostly waits
	const writers = 4
	rounds := volume(400, 1000)
	f := newFleet(t)
	var running sync.WaitGroup
	for range writers {
		running.Go(func() {
			for range rounds / writers {
				f.round(t)
			}
		})
	}
	running.Wait()
	f.checkAsked(t, rounds)
	reads := 0
	for i, app := range f.apps {
		got, ok := app.ask(question{Report: true})
		if !ok || got.Reads == 0 {
			t.Errorf("application %d read nothing", i)
		}
		for _, went := range got.Backward {
			t.Errorf("application %d went back %s", i, went)
		}
		for _, r := range got.Seen {
			f.checkNumber(t, r)
		}
		reads += got.Reads
	}
	t.Logf("%d reads without a token", reads)
}

// checkNumber: the revision says what the value is.
func (f *fleet) checkNumber(t *testing.T, r reading) (at flags.Token) {
	t.Helper()
	at, err := flags.ParseToken(r.Token)
	if want := f.written.at(r.Flag, at.Revision); err != nil || r.Number != want {
		t.Errorf("%s at %s has number %d, the journal has %d", r.Flag, r.Token, r.Number, want)
	}
	return at
}

func (f *fleet) checkAsked(t *testing.T, rounds int) {
	t.Helper()
	carried, notFresh, stale := 0, 0, 0
	for _, a := range f.asked {
		at := f.checkNumber(t, a.reading)
		older := at.Before(a.floor.Version)
		switch {
		case !a.carried && older:
			stale++
		case a.carried && a.Freshness == flags.FreshnessNotFresh.String():
			notFresh++
		case a.carried:
			carried++
			if older {
				t.Errorf("a read with %s was answered from %s, %s", a.floor, at, a.Freshness)
			}
		}
	}
	t.Logf("%d reads with a token: 0 older unless reported, %d NOT_FRESH; without: %d older", carried, notFresh, stale)
	if carried < rounds {
		t.Errorf("only %d reads with a token were answered, %d NOT_FRESH", carried, notFresh)
	}
	if stale == 0 {
		t.Error("the twin saw nothing old: this test could not notice a token that is ignored")
	}
}

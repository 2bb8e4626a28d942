package e2e

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

const (
	linearClients = 8
	linearKeys    = 10
)

// TestRouterIsLinearizable: clients write and read ten flags through a router that
// is killed again and again. What they were told must be what one flag set tells
// that is never killed and does one thing at a time. HOLDFAST_SEED repeats the
// operations of a seed.
func TestRouterIsLinearizable(t *testing.T) {
	seeds, lasts, killEvery := 1, 6*time.Second, time.Second
	if os.Getenv("HOLDFAST_LONG") != "" {
		seeds, lasts, killEvery = 20, time.Minute, 2*time.Second
	}
	for i := range seeds {
		seed := uint64(time.Now().UnixNano()) + uint64(i)
		if given := os.Getenv("HOLDFAST_SEED"); given != "" {
			var err error
			if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
				t.Fatal(err)
			}
		}
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flags.db")
			run := &linearRun{t: t, router: newRouter(t, "--store", "bolt:"+path), path: path, seed: seed}
			run.work(lasts, killEvery)
			if result := run.check(); result != porcupine.Ok {
				t.Errorf("seed %d: linearizable? %s", seed, result)
			}
			if run.kills == 0 || len(run.history) < 100 {
				t.Error("so few kills and operations show nothing")
			}
			matrix.Tally(t, "F24", run.kills, 0)
		})
	}
}

// TestKillsFindWritesAcknowledgedEarly is its twin: the same before a router that
// acknowledges writes a moment before they are on disk.
func TestKillsFindWritesAcknowledgedEarly(t *testing.T) {
	for seed := range uint64(5) {
		path := filepath.Join(t.TempDir(), "flags.db")
		run := &linearRun{t: t, router: newEarlyRouter(t, path), path: path, seed: seed}
		run.work(3*time.Second, 500*time.Millisecond)
		if run.check() == porcupine.Illegal {
			return
		}
	}
	t.Error("writes were acknowledged that were lost, and nobody noticed")
}

// linearRun is one history of clients with a router.
type linearRun struct {
	t      *testing.T
	router *router
	path   string // of the store
	seed   uint64

	start   time.Time
	mu      sync.Mutex
	history []porcupine.Operation
	unknown map[flags.CommitID]porcupine.Operation // writes whose outcome nobody was told
	kills   int
}

// work lets the clients work for a while, and kills the router every so often.
func (r *linearRun) work(lasts, killEvery time.Duration) {
	r.t.Helper()
	r.t.Logf("seed %d", r.seed)
	r.router.start()
	r.start, r.unknown = time.Now(), map[flags.CommitID]porcupine.Operation{}
	r.create()
	ctx, cancel := context.WithTimeout(r.t.Context(), lasts)
	defer cancel()
	var clients sync.WaitGroup
	for id := range linearClients {
		clients.Go(func() { r.client(ctx, id) })
	}
	tick := time.NewTicker(killEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.router.kill()
			r.router.start()
			r.kills++
		case <-ctx.Done():
			clients.Wait()
			r.router.kill()
			return
		}
	}
}

// create begins the set that the clients share, at revision 1 whatever the router began with.
func (r *linearRun) create() {
	st := r.open()
	defer st.Close()
	if _, err := st.Apply(r.t.Context(), flags.Commit{Set: "linear", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *linearRun) open() *grpcstore.Store {
	st, err := grpcstore.Open("grpc://"+r.router.grpc, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return st
}

// client does one operation after the other; the seed decides which.
func (r *linearRun) client(ctx context.Context, id int) {
	st := r.open()
	defer st.Close()
	c := &linearClient{run: r, st: st, id: id, contents: flags.NewContents("linear")}
	random := rand.New(rand.NewPCG(r.seed, uint64(id)))
	for n := 1; ctx.Err() == nil; n++ {
		op := linearOp{kind: []string{"get", "put", "swap"}[random.IntN(3)], key: random.IntN(linearKeys), value: id*1_000_000 + n}
		patient := random.IntN(3) > 0 // asks again until it knows, or leaves it open
		if op.kind == "get" {
			c.get(ctx, op)
		} else {
			c.write(ctx, op, patient)
		}
		pause(ctx, time.Duration(random.IntN(20))*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// check completes the history by what the journal says of the writes that nobody
// was told the outcome of: they took effect at their revision, some time or never.
func (r *linearRun) check() porcupine.CheckResult {
	r.t.Helper()
	open := 0
	for id, v := range r.journal() {
		if op, ok := r.unknown[id]; ok {
			op.Output = linearState{revision: v.Revision}
			r.history = append(r.history, op)
			open++
		}
	}
	r.t.Logf("%d operations, %d writes of unknown outcome of which %d took effect, %d kills", len(r.history), len(r.unknown), open, r.kills)
	return porcupine.CheckOperationsTimeout(linearModel, r.history, 5*time.Minute)
}

func (r *linearRun) journal() map[flags.CommitID]flags.Version {
	st, err := boltstore.Open(r.path, &boltstore.Options{LockTimeout: 10 * time.Second})
	if err != nil {
		r.t.Fatal(err)
	}
	defer st.Close()
	found := map[flags.CommitID]flags.Version{}
	for from := (flags.Version{}); ; from.Revision++ {
		commits, err := st.Commits(r.t.Context(), "linear", from, flags.Version{Epoch: 1}, 0)
		if err != nil {
			r.t.Fatal(err)
		}
		if len(commits) == 0 {
			return found
		}
		for _, c := range commits {
			found[c.ID], from = c.Version, c.Version
		}
	}
}

// linearOp is what a client asks for.
type linearOp struct {
	kind  string // get: all flags; put: one; swap: one, if it was last changed at want
	key   int
	value int
	want  uint64
}

// linearState is the model's state, and what a client is told of it: of a write
// only the revision.
type linearState struct {
	revision uint64
	value    [linearKeys]int
	changed  [linearKeys]uint64
	conflict bool // answer of a swap
}

var linearModel = porcupine.Model{
	Init: func() any { return linearState{revision: 1} },
	Step: func(state, input, output any) (bool, any) {
		s, op, told := state.(linearState), input.(linearOp), output.(linearState)
		switch {
		case op.kind == "get":
			return told == s, s
		case op.kind == "swap" && op.want != s.changed[op.key]:
			return told.conflict, s
		case told.conflict:
			return false, s
		}
		s.revision++
		s.value[op.key], s.changed[op.key] = op.value, s.revision
		return told.revision == s.revision, s
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// linearClient is one of the clients. What it has seen decides what its swaps want.
type linearClient struct {
	run      *linearRun
	st       *grpcstore.Store
	id       int
	contents *flags.Contents
	seen     linearState
}

func (c *linearClient) note(op linearOp, call time.Time, told linearState) {
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	c.run.history = append(c.run.history, c.operation(op, call, told, int64(time.Since(c.run.start))))
}

func (c *linearClient) operation(op linearOp, call time.Time, told linearState, answered int64) porcupine.Operation {
	return porcupine.Operation{ClientId: c.id, Input: op, Output: told, Call: int64(call.Sub(c.run.start)), Return: answered}
}

// get reads all flags. A read that fails tells nothing.
func (c *linearClient) get(ctx context.Context, op linearOp) {
	call := time.Now()
	u, err := c.st.Fetch(ctx, "linear", c.contents.Head())
	if err != nil {
		c.st.ResetConnectBackoff()
		return
	}
	told, err := c.take(u)
	if err != nil {
		c.run.t.Errorf("client %d: %v", c.id, err)
		return
	}
	c.seen = told
	c.note(op, call, told)
}

func (c *linearClient) take(u flags.Update) (linearState, error) {
	if u.Checkpoint != nil {
		c.contents = flags.ContentsOf(u.Checkpoint)
	}
	for i := range u.Commits {
		if err := c.contents.Apply(&u.Commits[i]); err != nil {
			return linearState{}, err
		}
	}
	told := linearState{revision: c.contents.Head().Revision}
	for key := range linearKeys {
		entry, ok := c.contents.Get(flags.FlagKey(fmt.Sprint("k", key)))
		if !ok {
			continue
		}
		if _, err := fmt.Sscanf(string(entry.Bytes), linearFlag, &told.value[key]); err != nil {
			return told, fmt.Errorf("flag is %q: %w", entry.Bytes, err)
		}
		told.changed[key] = entry.Revision
	}
	return told, nil
}

const linearFlag = `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`

// write asks until it is told the outcome, under the same commit id, or leaves it
// open after the first failure.
func (c *linearClient) write(ctx context.Context, op linearOp, patient bool) {
	key := flags.FlagKey(fmt.Sprint("k", op.key))
	commit := flags.Commit{Set: "linear", ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: key, Bytes: fmt.Appendf(nil, linearFlag, op.value)}}}
	if op.kind == "swap" {
		op.want = c.seen.changed[op.key]
		commit.Conditions = []flags.Condition{{Key: key, Version: flags.Version{Revision: op.want}}}
	}
	call := time.Now()
	for {
		accepted, err := c.st.Apply(ctx, commit)
		switch {
		case err == nil:
			c.seen.changed[op.key] = accepted.Revision
			c.note(op, call, linearState{revision: accepted.Revision})
			return
		case errors.Is(err, store.ErrConflict):
			c.note(op, call, linearState{conflict: true})
			c.seen.changed[op.key] = 0 // until it has read again
			return
		case flags.ClassOf(err) == flags.ClassPermanent:
			c.run.t.Errorf("client %d: %v", c.id, err)
			return
		}
		c.st.ResetConnectBackoff()
		if !patient || ctx.Err() != nil {
			break
		}
		pause(ctx, 20*time.Millisecond)
	}
	c.run.mu.Lock()
	defer c.run.mu.Unlock()
	c.run.unknown[commit.ID] = c.operation(op, call, linearState{}, math.MaxInt64)
}

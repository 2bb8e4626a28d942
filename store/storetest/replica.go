package storetest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Replica is what a replica must be able to do to be checked: take commits over,
// and be read.
type Replica interface {
	store.Replica
	flags.Source
}

// ReplicaHarness is how the suite gets at a replica.
type ReplicaHarness struct {
	// New returns an open, empty replica that nobody else uses. Required.
	New func(t testing.TB) Replica
	// Origin returns an empty store to replicate from, such as memstore.New(nil).
	// Required.
	Origin func(t testing.TB) store.Store
	// Except maps names of clauses to the reason why the replica cannot keep them.
	Except map[string]string
	// Commits is the length of a long history; default 600.
	Commits int
	// Patience is how long anything may take; default 15 s.
	Patience time.Duration
}

// ReplicaCase is one clause of the contract of replicas.
type ReplicaCase struct {
	Name string
	Run  func(t testing.TB, h ReplicaHarness)
}

// ReplicaCases returns all clauses in the order in which RunReplica checks them.
func ReplicaCases() []ReplicaCase {
	var cases []ReplicaCase
	for _, name := range slices.Sorted(maps.Keys(replicaClauses)) {
		clause := replicaClauses[name]
		cases = append(cases, ReplicaCase{"replica/" + name, func(t testing.TB, h ReplicaHarness) {
			origin := Harness{Commits: cmp.Or(h.Commits, 600), Patience: h.Patience}.withDefaults()
			clause(&copying{env: &env{TB: t, h: origin, s: h.Origin(t)}, r: h.New(t)})
		}})
	}
	return cases
}

// RunReplica holds a replica to the contract.
func RunReplica(t *testing.T, h ReplicaHarness) {
	for _, c := range ReplicaCases() {
		if reason := excepted(h.Except, c.Name); reason != "" {
			t.Logf("%s: excepted: %s", c.Name, reason)
			continue
		}
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

// copying is one clause at work on a replica of the env's store.
type copying struct {
	*env
	r Replica
}

func (e *copying) append(commits ...flags.Commit) {
	e.Helper()
	if err := e.r.Append(e.ctx(), set, commits); err != nil {
		e.Fatalf("Append: %v", err)
	}
}

func (e *copying) seed(cp *flags.Checkpoint) {
	e.Helper()
	if err := e.r.Seed(e.ctx(), cp); err != nil {
		e.Fatalf("Seed: %v", err)
	}
}

// refuses wants the replica to be unmoved by what it must not take.
func (e *copying) refuses(what string, err error, before flags.Head, sentinel error) {
	e.Helper()
	e.wantError(what, err, sentinel)
	e.stands(before)
}

// stands wants the replica to be at head, with contents that add up to it.
func (e *copying) stands(head flags.Head) {
	e.Helper()
	got, err := e.r.Head(e.ctx(), set)
	if head.Version.IsZero() {
		e.wantError("Head", err, store.ErrNotFound)
		return
	}
	if err != nil || got != head {
		e.Fatalf("the replica is at %+v (%v), want %+v", got, err, head)
	}
	u, err := e.r.Fetch(e.ctx(), set, flags.Head{Set: set})
	if err != nil {
		e.Fatalf("Fetch: %v", err)
	}
	c := flags.NewContents(set)
	if err := install(c, u); err != nil || c.Head() != head {
		e.Fatalf("the replica's contents come to %+v (%v), want %+v", c.Head(), err, head)
	}
}

// foreign is a history of the same length from somewhere else.
func foreign(commits []flags.Commit) []flags.Commit {
	lineage := flags.NewLineage()
	out := slices.Clone(commits)
	for i := range out {
		out[i].Lineage, out[i].ID = lineage, flags.NewCommitID()
	}
	return out
}

var replicaClauses = map[string]func(*copying){
	"can be read while it is replaced": func(e *copying) {
		e.history(3)
		e.seed(contentsOf(e.env, set).Checkpoint())
		ctx, done := e.ctx(), make(chan struct{})
		var readers sync.WaitGroup
		for range 2 {
			readers.Go(func() {
				for err := error(nil); err == nil; {
					select {
					case <-done:
						return
					default:
					}
					if _, err = e.r.Head(ctx, set); err != nil {
						e.Errorf("Head: %v", err)
					}
				}
			})
		}
		defer readers.Wait()
		defer close(done)
		for i := range 5 {
			e.apply(change(put("n", flagOf(i))))
			e.seed(contentsOf(e.env, set).Checkpoint())
		}
		e.stands(e.head(set))
	},
	"who waits for a set hears of its seed": func(e *copying) {
		w, ok := e.r.(flags.Watcher)
		if !ok {
			return // nobody can wait
		}
		stream, err := w.Watch(e.ctx(), set, flags.Head{Set: set})
		if err != nil {
			e.Fatalf("Watch: %v", err)
		}
		defer func() { _ = stream.Close() }()
		if ev, err := stream.Next(); err != nil || !ev.Absent {
			e.Fatalf("before the seed: %+v, %v", ev, err)
		}
		var ev flags.Event
		var heard sync.WaitGroup
		heard.Go(func() { ev, err = stream.Next() })
		e.history(3) // which takes longer than to begin to wait
		e.seed(contentsOf(e.env, set).Checkpoint())
		if heard.Wait(); err != nil || ev.Head != e.head(set) {
			e.Fatalf("first after the seed: %+v, %v", ev, err)
		}
	},
	"refuses a set that has no name": func(e *copying) {
		c := create("")
		err := e.r.Append(e.ctx(), "", []flags.Commit{c})
		e.wantError("Append", err, store.ErrInvalid)
	},
	"takes a journal over as it is": func(e *copying) {
		commits := e.history(e.h.Commits)
		for page := range slices.Chunk(commits, 50) {
			e.append(page...)
		}
		e.stands(e.head(set))
		u, err := e.r.Fetch(e.ctx(), set, commits[len(commits)-6].Head())
		if err != nil || len(u.Commits) != 5 {
			e.Fatalf("%d commits (%v), want 5", len(u.Commits), err)
		}
		for i, c := range u.Commits {
			e.same("replicated commit", c, commits[len(commits)-5+i])
		}
	},
	"through epochs": func(e *copying) {
		commits := e.history(2)
		commits = append(commits, e.apply(end(flags.OpSeal)), e.apply(create(set, put("a", onOff))), e.apply(end(flags.OpDelete)))
		for _, c := range commits {
			e.append(c)
			e.stands(c.Head())
		}
	},
	"what is there already is done": func(e *copying) {
		commits := e.history(9)
		e.append(commits[:6]...)
		e.append(commits[:6]...)
		e.append(commits[2])
		e.append(commits[4:9]...) // overlapping
		e.append()
		e.stands(commits[8].Head())
	},
	"a gap is refused": func(e *copying) {
		commits := e.history(9)
		e.refuses("a tail to nothing", e.r.Append(e.ctx(), set, commits[3:5]), flags.Head{}, flags.ErrGap)
		e.append(commits[:3]...)
		e.refuses("a tail too far", e.r.Append(e.ctx(), set, commits[4:6]), commits[2].Head(), flags.ErrGap)
		e.refuses("a hole", e.r.Append(e.ctx(), set, []flags.Commit{commits[3], commits[5]}), commits[2].Head(), flags.ErrGap)
		e.append(commits[3:]...)
		e.stands(commits[9].Head())
	},
	"another lineage is refused": func(e *copying) {
		commits := e.history(5)
		e.append(commits[:3]...)
		other := foreign(commits)
		e.refuses("a foreign tail", e.r.Append(e.ctx(), set, other[3:4]), commits[2].Head(), flags.ErrLineage)
		e.refuses("a foreign beginning", e.r.Append(e.ctx(), set, other[:1]), commits[2].Head(), flags.ErrLineage)
	},
	"another commit at the same place is refused": func(e *copying) {
		commits := e.history(5)
		e.append(commits[:3]...)
		fork := commits[2]
		fork.ID = flags.NewCommitID()
		e.refuses("a fork", e.r.Append(e.ctx(), set, []flags.Commit{fork}), commits[2].Head(), flags.ErrLineage)
	},
	"a digest that does not come out is refused": func(e *copying) {
		commits := e.history(5)
		e.append(commits[:3]...)
		bad := commits[3]
		bad.Changes = []flags.Mutation{put("n", flagOf(666))}
		e.refuses("a changed commit", e.r.Append(e.ctx(), set, []flags.Commit{bad}), commits[2].Head(), flags.ErrDigest)
		bad = commits[4]
		bad.Count++
		e.refuses("a miscounted second", e.r.Append(e.ctx(), set, []flags.Commit{commits[3], bad}), commits[2].Head(), flags.ErrDigest)
	},
	"a seed is a beginning": func(e *copying) {
		commits := e.history(9)
		cp := contentsOf(e.env, set).Checkpoint()
		e.seed(cp)
		e.stands(cp.Head)
		e.seed(cp)
		e.append(commits[9], e.apply(change(put("a", onOff))))
		e.stands(e.head(set))
	},
	"a seed is verified": func(e *copying) {
		e.history(3)
		cp := contentsOf(e.env, set).Checkpoint()
		bad := &flags.Checkpoint{Head: cp.Head}
		e.refuses("an empty checkpoint", e.r.Seed(e.ctx(), bad), flags.Head{}, flags.ErrDigest)
		bad = &flags.Checkpoint{Head: cp.Head, Entries: slices.Clone(cp.Entries)}
		bad.Entries[0].Bytes = flagOf(666)
		e.refuses("a changed checkpoint", e.r.Seed(e.ctx(), bad), flags.Head{}, flags.ErrDigest)
		e.seed(cp)
		e.refuses("a changed checkpoint", e.r.Seed(e.ctx(), bad), cp.Head, flags.ErrDigest)
	},
	"an older seed changes nothing": func(e *copying) {
		commits := e.history(3)
		cp := contentsOf(e.env, set).Checkpoint()
		later := e.apply(change(put("n", flagOf(9))))
		e.append(append(commits, later)...)
		e.seed(cp)
		e.stands(later.Head())
	},
	"a newer seed jumps": func(e *copying) {
		commits := e.history(8)
		e.append(commits[:2]...)
		cp := contentsOf(e.env, set).Checkpoint()
		e.seed(cp)
		e.stands(cp.Head)
		e.append(commits[2:]...) // from before the seed: the same lineage's word is taken
		e.append(e.apply(change(put("a", onOff))))
		e.stands(e.head(set))
	},
	"a seed of another lineage replaces": func(e *copying) {
		commits := e.history(3)
		e.append(foreign(commits)...)
		cp := contentsOf(e.env, set).Checkpoint()
		e.seed(cp)
		e.stands(cp.Head)
		e.append(e.apply(change(put("a", onOff))))
		e.stands(e.head(set))
	},
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var watchClauses = map[string]func(*env){
	"begins with everything for who has nothing": func(e *env) {
		e.history(5)
		f := e.follow(flags.NewContents(set))
		f.until(e.head(set))
		if f.resets != 0 || f.checkpoints == 0 {
			e.Fatalf("%d resets and %d checkpoints, want a checkpoint that is no reset", f.resets, f.checkpoints)
		}
	},
	"the first event comes at once": func(e *env) {
		e.history(2)
		c := contentsOf(e, set)
		f := e.follow(c)
		ev := f.next()
		if ev.Checkpoint != nil || len(ev.Commits) != 0 || ev.Reset != "" || ev.Head != c.Head() {
			e.Fatalf("to who is at the head it said %+v", ev)
		}
	},
	"goes on from where the reader is": func(e *env) {
		commits := e.history(12)
		c := flags.NewContents(set)
		for _, commit := range commits[:4] {
			if err := c.Apply(&commit); err != nil {
				e.Fatal(err)
			}
		}
		f := e.follow(c)
		f.until(commits[12].Head())
		if f.checkpoints != 0 || len(f.seen) != 9 {
			e.Fatalf("%d checkpoints and commits %v, want 9 commits alone", f.checkpoints, f.seen)
		}
	},
	"delivers what is written": func(e *env) {
		e.apply(create(set))
		f := e.follow(contentsOf(e, set))
		f.next()
		for i := range 5 {
			f.until(headOf(e.apply(change(put("n", flagOf(i))))))
		}
		if f.checkpoints != 0 || len(f.seen) != 5 {
			e.Fatalf("%d checkpoints and commits %v, want 5 commits", f.checkpoints, f.seen)
		}
	},
	"delivers ends and beginnings": func(e *env) {
		e.history(1)
		f := e.follow(contentsOf(e, set))
		f.next()
		f.until(headOf(e.apply(end(flags.OpDelete))))
		f.until(headOf(e.apply(create(set, put("a", onOff)))))
		f.until(headOf(e.apply(end(flags.OpSeal))))
	},
	"resets another lineage":  func(e *env) { e.resets(func(h *flags.Head) { h.Lineage = flags.NewLineage() }) },
	"resets another digest":   func(e *env) { e.resets(func(h *flags.Head) { h.Digest = flags.EntryHash(flags.FlagKey("x"), nil) }) },
	"resets who is ahead":     func(e *env) { e.resets(func(h *flags.Head) { h.Revision = 99 }) },
	"of another set is quiet": watchOfAnotherSet,
	"of a name that no set can have": func(e *env) {
		_, err := e.s.Watch(e.ctx(), "no where", flags.Head{Set: "no where"})
		e.wantError("Watch", err, store.ErrNotFound)
		if flags.ClassOf(err) != flags.ClassNotFound {
			e.Fatalf("class %s, want not found", flags.ClassOf(err))
		}
	},
	"begins when its set is created": func(e *env) {
		nothing, something := e.await(flags.Head{Set: set}), e.await(strangeHead())
		e.apply(create("other"))
		e.apply(create(set, put("a", onOff)))
		nothing.until(headOf(e.apply(change(put("n", flagOf(1))))))
		something.until(e.head(set))
		if nothing.resets != 0 || nothing.checkpoints == 0 || something.resets != 1 {
			e.Fatalf("%d resets of who had nothing, %d of who had another history", nothing.resets, something.resets)
		}
	},
	"of an absent set ends with its context": func(e *env) {
		ctx, cancel := context.WithCancel(e.ctx())
		e.endsBy(ctx, func(flags.Stream) { cancel() })
		cancel()
	},
	"of an absent set ends when closed":    func(e *env) { e.endsBy(e.ctx(), func(s flags.Stream) { _ = s.Close() }) },
	"of an absent set ends with its store": func(e *env) { e.endsBy(e.ctx(), func(flags.Stream) { _ = e.s.Close() }) },
	"loses nothing among writers": func(e *env) {
		e.apply(create(set))
		followers := make([]*follower, 3)
		for i := range followers {
			followers[i] = e.follow(contentsOf(e, set))
		}
		wait := e.writeAtOnce()
		errs := make([]error, len(followers))
		var wg sync.WaitGroup
		total := uint64(e.h.Writers*e.h.Writes) + 1
		for i, f := range followers {
			wg.Go(func() {
				for errs[i] == nil && f.contents.Head().Revision < total {
					_, errs[i] = f.step()
				}
			})
		}
		wait()
		wg.Wait()
		last := e.head(set)
		for i, f := range followers {
			if errs[i] != nil {
				e.Fatalf("follower %d: %v", i, errs[i])
			}
			if f.contents.Head() != last {
				e.Fatalf("follower %d arrived at %+v, want %+v", i, f.contents.Head(), last)
			}
		}
	},
	"a slow reader gets everything later": func(e *env) {
		e.apply(create(set))
		f := e.follow(contentsOf(e, set))
		f.next()
		for i := range e.h.Commits {
			e.apply(change(put("n", flagOf(i)))) // nobody reads, and the writer does not mind
		}
		events := f.until(e.head(set))
		if events > 64+1 {
			e.Fatalf("%d events were kept for a slow reader, want 64 at most", events)
		}
	},
	"ends with its context": func(e *env) {
		e.history(1)
		ctx, cancel := context.WithCancel(e.ctx())
		e.endsBy(ctx, func(flags.Stream) { cancel() })
		cancel()
	},
	"ends when closed": func(e *env) {
		e.history(1)
		e.endsBy(e.ctx(), func(s flags.Stream) {
			for range 2 {
				if err := s.Close(); err != nil {
					e.Errorf("Close: %v", err)
				}
			}
		})
	},
	"ends with its store": func(e *env) {
		e.history(1)
		e.endsBy(e.ctx(), func(flags.Stream) { _ = e.s.Close() })
	},
	"takes acknowledgements": func(e *env) {
		e.history(1)
		f := e.follow(contentsOf(e, set))
		f.next()
		if err := f.stream.Applied(flags.Ack{Head: f.contents.Head(), Layers: map[string]string{"primary": "closed"}}); err != nil {
			e.Fatalf("Applied: %v", err)
		}
	},
}

func watchOfAnotherSet(e *env) {
	e.history(1)
	e.apply(create("other"))
	f := e.follow(contentsOf(e, set))
	f.next()
	c := change(put("x", onOff))
	c.Set = "other"
	e.apply(c)
	f.until(headOf(e.apply(change(put("n", flagOf(4))))))
	if len(f.seen) != 1 {
		e.Fatalf("commits %v, want the one of this set", f.seen)
	}
}

// strangeHead is where a reader of another history is.
func strangeHead() flags.Head {
	return flags.Head{Set: set, Lineage: flags.NewLineage(), Version: flags.Version{Revision: 3}}
}

// await opens a stream of the set, which is not there yet.
func (e *env) await(have flags.Head) *follower {
	e.Helper()
	f := e.followFrom(flags.NewContents(set), have)
	if ev := f.next(); !ev.Absent || !ev.Head.IsZero() || ev.Checkpoint != nil {
		e.Fatalf("of a set that is not there it said %+v", ev)
	}
	return f
}

// follower keeps contents up to date from a stream.
type follower struct {
	e           *env
	stream      flags.Stream
	contents    *flags.Contents
	seen        []flags.Version
	resets      int
	checkpoints int
}

func (e *env) follow(c *flags.Contents) *follower {
	e.Helper()
	return e.followFrom(c, c.Head())
}

func (e *env) followFrom(c *flags.Contents, have flags.Head) *follower {
	e.Helper()
	stream, err := e.s.Watch(e.ctx(), set, have)
	if err != nil {
		e.Fatalf("Watch: %v", err)
	}
	e.Cleanup(func() { _ = stream.Close() })
	return &follower{e: e, stream: stream, contents: c}
}

// step takes one event. Commits that do not follow, twice delivered or lost
// ones, are an error; so is whatever does not add up.
func (f *follower) step() (flags.Event, error) {
	ev, err := f.stream.Next()
	if err != nil {
		return ev, fmt.Errorf("waiting at %s: %w", f.contents.Head().Token(), err)
	}
	if ev.Queued || ev.Absent || ev.RetryAfter > 0 {
		return ev, nil
	}
	before := f.contents.Head()
	if err := install(f.contents, ev.Update); err != nil {
		return ev, fmt.Errorf("event after %s: %w", before.Token(), err)
	}
	if ev.Reset != "" {
		f.resets++
	}
	if ev.Checkpoint != nil {
		f.checkpoints++
	}
	for _, c := range ev.Commits {
		f.seen = append(f.seen, c.Version)
	}
	return ev, nil
}

func (f *follower) next() flags.Event {
	f.e.Helper()
	ev, err := f.step()
	if err != nil {
		f.e.Fatal(err)
	}
	return ev
}

// until follows to a head and returns how many events that took.
func (f *follower) until(head flags.Head) int {
	f.e.Helper()
	events := 0
	for f.contents.Head() != head {
		f.next()
		events++
		if head.Version.Before(f.contents.Head().Version) {
			f.e.Fatalf("went past %s to %s", head.Token(), f.contents.Head().Token())
		}
	}
	return events
}

// resets wants a reader whose head was made wrong to be told and given everything.
func (e *env) resets(wrong func(*flags.Head)) {
	e.Helper()
	commits := e.history(4)
	have := commits[3].Head()
	wrong(&have)
	f := e.followFrom(flags.NewContents(set), have)
	f.until(e.head(set))
	if f.resets != 1 || f.checkpoints != 1 {
		e.Fatalf("%d resets and %d checkpoints, want one of each", f.resets, f.checkpoints)
	}
}

// endsBy wants a Next that waits to return, canceled, after end was called.
func (e *env) endsBy(ctx context.Context, end func(flags.Stream)) {
	e.Helper()
	have, _ := e.s.Head(ctx, set) // none, where the set is not there
	stream, err := e.s.Watch(ctx, set, have)
	if err != nil {
		e.Fatalf("Watch: %v", err)
	}
	if _, err := stream.Next(); err != nil {
		e.Fatalf("Next: %v", err)
	}
	over := make(chan error, 1)
	go func() {
		for {
			if _, err := stream.Next(); err != nil {
				over <- err
				return
			}
		}
	}()
	end(stream)
	select {
	case err = <-over:
	case <-e.ctx().Done():
		e.Fatal("Next still waits")
	}
	var se *flags.SourceError
	if !errors.As(err, &se) || se.Class != flags.ClassCanceled {
		e.Fatalf("Next: error %v, want a *flags.SourceError of class canceled", err)
	}
	if _, again := stream.Next(); again == nil {
		e.Fatal("after its end the stream goes on")
	}
	_ = stream.Close()
}

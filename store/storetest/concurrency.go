package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var concurrencyClauses = map[string]func(*env){
	"writers of different flags never conflict": func(e *env) {
		e.apply(create(set))
		wait := e.writeAtOnce()
		wait()
		total := e.h.Writers * e.h.Writes
		if h := e.head(set); h.Revision != uint64(total)+1 || h.Count != e.h.Writers {
			e.Fatalf("after %d commits to %d flags the set is at %+v", total, e.h.Writers, h)
		}
		c := flags.NewContents(set)
		for _, commit := range e.allCommits() {
			if err := c.Apply(&commit); err != nil {
				e.Fatalf("the journal does not add up: %v", err)
			}
		}
		if c.Head() != e.head(set) {
			e.Fatalf("the journal comes to %+v, head is %+v", c.Head(), e.head(set))
		}
	},
	"no update is lost": func(e *env) {
		e.apply(create(set, put("n", flagOf(0))))
		errs := make([]error, e.h.Writers)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = e.increment(e.h.Writes) })
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			e.Fatal(err)
		}
		e.holds(map[string][]byte{"n": flagOf(e.h.Writers * e.h.Writes)})
	},
	"sets are written side by side": func(e *env) {
		errs := make([]error, e.h.Writers)
		ctx := e.ctx()
		var wg sync.WaitGroup
		for i := range errs {
			name := fmt.Sprintf("set-%d", i)
			wg.Go(func() {
				_, errs[i] = e.s.Apply(ctx, create(name))
				for n := 0; n < e.h.Writes && errs[i] == nil; n++ {
					c := change(put("n", flagOf(n)))
					c.Set = name
					_, errs[i] = e.s.Apply(ctx, c)
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			e.Fatal(err)
		}
		for i := range errs {
			if h := e.head(fmt.Sprintf("set-%d", i)); h.Revision != uint64(e.h.Writes)+1 {
				e.Fatalf("%s, want revision %d", h.Token(), e.h.Writes+1)
			}
		}
	},
	"one failed member spoils no other": func(e *env) {
		e.apply(create(set, put("guard", onOff)))
		ctx := e.ctx()
		accepted := make([]int, e.h.Writers)
		errs := make([]error, e.h.Writers)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() {
				for n := range e.h.Writes {
					c := change(put(fmt.Sprintf("w%d", i), flagOf(n)))
					if n%2 == 1 {
						c = when(c, flags.FlagKey("guard"), 99)
					}
					_, err := e.s.Apply(ctx, c)
					switch {
					case n%2 == 0 && err == nil:
						accepted[i]++
					case n%2 == 1 && errors.Is(err, store.ErrConflict):
					default:
						errs[i] = errors.Join(errs[i], fmt.Errorf("writer %d, commit %d: %w", i, n, err))
					}
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			e.Fatal(err)
		}
		total := 0
		for _, n := range accepted {
			total += n
		}
		if h := e.head(set); h.Revision != uint64(total)+1 {
			e.Fatalf("%d commits were accepted, the set is at %s", total, h.Token())
		}
	},
	"is linearizable": linearizable,
}

// writeAtOnce starts the harness' writers, each on a flag of its own, and
// returns what waits for them.
func (e *env) writeAtOnce() (wait func()) {
	errs := make([]error, e.h.Writers)
	ctx := e.ctx()
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for n := 0; n < e.h.Writes && errs[i] == nil; n++ {
				_, errs[i] = e.s.Apply(ctx, change(put(fmt.Sprintf("w%d", i), flagOf(n))))
			}
		})
	}
	return func() {
		e.Helper()
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			e.Fatalf("Apply: %v", err)
		}
	}
}

// allCommits reads the whole journal.
func (e *env) allCommits() []flags.Commit {
	e.Helper()
	var all []flags.Commit
	from := flags.Version{}
	for {
		page := e.commits(from, newest, 0)
		if len(page) == 0 {
			return all
		}
		all = append(all, page...)
		from = all[len(all)-1].Version
		from.Revision++
	}
}

// increment adds one to the flag "n", times times, as an editor would: read,
// write on condition that nobody else did, else again. It keeps up by fetching
// only what is new.
func (e *env) increment(times int) error {
	ctx := e.ctx()
	c := flags.NewContents(set)
	for range times {
		for {
			u, err := e.s.Fetch(ctx, set, c.Head())
			if err != nil {
				return err
			}
			if err := install(c, u); err != nil {
				return err
			}
			entry, _ := c.Get(flags.FlagKey("n"))
			n, err := numberOf(entry.Bytes)
			if err != nil {
				return err
			}
			_, err = e.s.Apply(ctx, when(change(put("n", flagOf(n+1))), entry.Key, entry.Revision))
			if err == nil {
				break
			}
			if !errors.Is(err, store.ErrConflict) {
				return err
			}
		}
	}
	return nil
}

package cachetest

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

const set = "shop" // the set that clauses use when one is enough

// env is one clause at work on one cache.
type env struct {
	testing.TB
	h Harness
	s cachestrategy.Strategy
}

// history is what an origin has of a set: commits, and the set after each.
type history struct {
	env     *env
	commits []flags.Commit
	at      []*flags.Checkpoint // after commits[i]
}

// flagOf is a valid flag definition that carries a number.
func flagOf(n int) []byte {
	return fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
}

func put(key string, data []byte) flags.Mutation {
	return flags.Mutation{Key: flags.FlagKey(key), Bytes: data}
}

// history creates a set, in a lineage of its own, and changes it until it has
// revision n. Flag "n" carries the revision, flag "r<revision>" stays.
func (e *env) history(name string, n int) *history {
	e.Helper()
	h := &history{env: e}
	h.add(name, flags.OpCreate, put("n", flagOf(1)))
	for r := 2; r <= n; r++ {
		h.add(name, flags.OpChange, put("n", flagOf(r)), put(fmt.Sprint("r", r), flagOf(r)))
	}
	return h
}

func (h *history) add(name string, op flags.Op, changes ...flags.Mutation) flags.Head {
	h.env.Helper()
	contents := flags.NewContents(name)
	if n := len(h.at); n > 0 {
		contents = flags.ContentsOf(h.at[n-1])
	}
	c := flags.Commit{
		Op: op, ID: flags.NewCommitID(), Changes: changes, Reason: "because",
		Actor: flags.Actor{Kind: "user", ID: "ana", Via: "cachetest"},
		Time:  time.Now().UTC().Truncate(time.Microsecond),
	}
	if err := contents.Seal(&c); err != nil {
		h.env.Fatalf("Seal: %v", err)
	}
	if err := contents.Apply(&c); err != nil {
		h.env.Fatalf("Apply: %v", err)
	}
	h.commits, h.at = append(h.commits, c), append(h.at, contents.Checkpoint())
	return c.Head()
}

// head returns the head after the nth commit, counted from 1.
func (h *history) head(n int) flags.Head { return h.at[n-1].Head }

// whole offers the set after the nth commit as a checkpoint, as of now.
func (h *history) whole(n int) cachestrategy.Offer {
	return cachestrategy.Offer{
		Update: flags.Update{Head: h.head(n), Checkpoint: h.at[n-1], AsOf: time.Now()},
		TTL:    time.Minute,
	}
}

// since offers the commits after the mth up to the nth, with the whole set to fall
// back on.
func (h *history) since(m, n int) cachestrategy.Offer {
	o := h.whole(n)
	o.Checkpoint, o.Commits = nil, slices.Clone(h.commits[m:n])
	o.Full = func() *flags.Checkpoint { return h.at[n-1] }
	return o
}

func (e *env) put(o cachestrategy.Offer, want cachestrategy.Outcome) {
	e.Helper()
	if got, err := e.s.Put(e.Context(), o); err != nil || got != want {
		e.Fatalf("Put of %s: %v, %v; want %v", o.Head.Token(), got, err, want)
	}
}

func (e *env) get(q cachestrategy.Query) cachestrategy.Entry {
	e.Helper()
	entry, err := e.s.Get(e.Context(), q)
	if err != nil {
		e.Fatalf("Get after %s: %v", q.Have.Token(), err)
	}
	return entry
}

// cold reads a set as somebody who has nothing of it.
func (e *env) cold(name string) cachestrategy.Entry {
	e.Helper()
	return e.get(cachestrategy.Query{Set: name})
}

// after reads the usual set as somebody who has it at a version.
func (e *env) after(have flags.Head) cachestrategy.Entry {
	e.Helper()
	return e.get(cachestrategy.Query{Set: set, Have: have})
}

// holds wants the cache to have the set as it is after the nth commit, whole.
func (e *env) holds(h *history, n int) cachestrategy.Entry {
	e.Helper()
	entry := e.cold(h.head(n).Set)
	if err := h.check(entry, flags.Head{}, n); err != nil {
		e.Fatalf("cold read: %v", err)
	}
	return entry
}

// check wants an entry to lead a reader from have to the set after the nth commit.
func (h *history) check(entry cachestrategy.Entry, have flags.Head, n int) error {
	if !cachestrategy.SameHead(entry.Head, h.head(n)) {
		return fmt.Errorf("the head is %s, want %s", entry.Head.Token(), h.head(n).Token())
	}
	contents := flags.NewContents(entry.Head.Set)
	switch {
	case entry.Checkpoint != nil:
		if err := entry.Checkpoint.Verify(); err != nil {
			return err
		}
		contents = flags.ContentsOf(entry.Checkpoint)
	case !have.Version.IsZero():
		i := slices.IndexFunc(h.at, func(cp *flags.Checkpoint) bool { return cp.Version == have.Version })
		contents = flags.ContentsOf(h.at[i])
	}
	for i := range entry.Commits {
		if err := contents.Apply(&entry.Commits[i]); err != nil {
			return err
		}
	}
	return same(contents.Checkpoint(), h.at[n-1])
}

func same(got, want *flags.Checkpoint) error {
	if !cachestrategy.SameHead(got.Head, want.Head) || len(got.Entries) != len(want.Entries) {
		return fmt.Errorf("it leads to %s with %d entries, want %s with %d",
			got.Token(), len(got.Entries), want.Token(), len(want.Entries))
	}
	for i := range got.Entries {
		g, w := got.Entries[i], want.Entries[i]
		if g.Key != w.Key || g.Revision != w.Revision || !bytes.Equal(g.Bytes, w.Bytes) {
			return fmt.Errorf("entry %s is %q of revision %d, want %q of %d", g.Key, g.Bytes, g.Revision, w.Bytes, w.Revision)
		}
	}
	return nil
}

// misses wants the cache to have nothing of a set.
func (e *env) misses(name string) {
	e.Helper()
	_, err := e.s.Get(e.Context(), cachestrategy.Query{Set: name})
	e.wantError("Get", err, cachestrategy.ErrMiss, flags.ClassTransient)
}

// wantError wants err to wrap the sentinel, to be classified and to take one line.
func (e *env) wantError(op string, err, sentinel error, class flags.Class) {
	e.Helper()
	if !errors.Is(err, sentinel) {
		e.Fatalf("%s: error %v, want %v", op, err, sentinel)
	}
	var se *flags.SourceError
	if !errors.As(err, &se) || se.Class != class {
		e.Fatalf("%s: error %v (%T) is not a *flags.SourceError of class %v", op, err, err, class)
	}
	if strings.Contains(err.Error(), "\n") {
		e.Errorf("%s: error takes more than one line: %q", op, err)
	}
}

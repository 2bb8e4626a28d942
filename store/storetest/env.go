package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

const set = "shop" // the set that clauses use when one is enough

// env is one clause at work on one store.
type env struct {
	testing.TB
	h Harness
	s store.Store
}

// ctx ends when the harness' patience does.
func (e *env) ctx() context.Context {
	ctx, cancel := context.WithTimeout(e.Context(), e.h.Patience)
	e.Cleanup(cancel)
	return ctx
}

// flagOf is a valid flag definition that carries a number.
func flagOf(n int) []byte {
	return fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
}

// numberOf is the inverse of flagOf.
func numberOf(data []byte) (n int, err error) {
	if _, err = fmt.Sscanf(string(data), `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, &n); err != nil {
		return 0, fmt.Errorf("flag is %q: %w", data, err)
	}
	return n, nil
}

// flagText is a valid flag definition that carries a text without characters to escape.
func flagText(text string) []byte {
	return []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + text + `"}}`)
}

var onOff = []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`)

func put(key string, data []byte) flags.Mutation {
	return flags.Mutation{Key: flags.FlagKey(key), Bytes: data}
}

func remove(key string) flags.Mutation { return flags.Mutation{Key: flags.FlagKey(key)} }

// change proposes a commit to the usual set.
func change(changes ...flags.Mutation) flags.Commit {
	return flags.Commit{
		Set: set, ID: flags.NewCommitID(), Changes: changes,
		Actor: flags.Actor{Kind: "user", ID: "ana", Via: "storetest"}, Reason: "because",
	}
}

func create(name string, changes ...flags.Mutation) flags.Commit {
	c := change(changes...)
	c.Set, c.Op = name, flags.OpCreate
	return c
}

func end(op flags.Op) flags.Commit {
	c := change()
	c.Op = op
	return c
}

// apply wants the commit to be accepted.
func (e *env) apply(c flags.Commit) flags.Commit {
	e.Helper()
	accepted, err := e.s.Apply(e.ctx(), c)
	if err != nil {
		e.Fatalf("Apply: %v", err)
	}
	return accepted
}

// history writes n commits after creating the usual set: flag "n" counts them.
func (e *env) history(n int) []flags.Commit {
	e.Helper()
	commits := []flags.Commit{e.apply(create(set))}
	for i := range n {
		commits = append(commits, e.apply(change(put("n", flagOf(i)))))
	}
	return commits
}

// refuse wants the commit to be refused with the sentinel, and to change nothing.
func (e *env) refuse(c flags.Commit, sentinel error) error {
	e.Helper()
	before, beforeErr := e.s.Head(e.ctx(), c.Set)
	_, err := e.s.Apply(e.ctx(), c)
	e.wantError("Apply", err, sentinel)
	after, afterErr := e.s.Head(e.ctx(), c.Set)
	if before != after || (beforeErr == nil) != (afterErr == nil) {
		e.Fatalf("a refused commit moved the set from %+v (%v) to %+v (%v)", before, beforeErr, after, afterErr)
	}
	return err
}

// wantError wants err to be classified and to wrap the sentinel.
func (e *env) wantError(op string, err, sentinel error) {
	e.Helper()
	if !errors.Is(err, sentinel) {
		e.Fatalf("%s: error %v, want %v", op, err, sentinel)
	}
	var se *flags.SourceError
	if !errors.As(err, &se) {
		e.Fatalf("%s: error %v (%T) is not a *flags.SourceError", op, err, err)
	}
	if strings.Contains(err.Error(), "\n") {
		e.Errorf("%s: error takes more than one line: %q", op, err)
	}
}

func (e *env) head(name string) flags.Head {
	e.Helper()
	h, err := e.s.Head(e.ctx(), name)
	if err != nil {
		e.Fatalf("Head: %v", err)
	}
	return h
}

func (e *env) fetch(name string, have flags.Head) flags.Update {
	e.Helper()
	u, err := e.s.Fetch(e.ctx(), name, have)
	if err != nil {
		e.Fatalf("Fetch: %v", err)
	}
	return u
}

func (e *env) commits(from, to flags.Version, limit int) []flags.Commit {
	e.Helper()
	cs, err := e.s.Commits(e.ctx(), set, from, to, limit)
	if err != nil {
		e.Fatalf("Commits(%s, %s, %d): %v", from, to, limit, err)
	}
	return cs
}

// advance fetches what is new and applies it, checking every digest.
func (e *env) advance(c *flags.Contents) {
	e.Helper()
	u := e.fetch(c.Head().Set, c.Head())
	if err := install(c, u); err != nil {
		e.Fatalf("update from %s: %v", c.Head().Token(), err)
	}
}

// install moves contents on by an update. The error says what is wrong with the update.
func install(c *flags.Contents, u flags.Update) error {
	if u.Checkpoint != nil {
		if err := u.Checkpoint.Verify(); err != nil {
			return err
		}
		*c = *flags.ContentsOf(u.Checkpoint)
	}
	for i := range u.Commits {
		if err := c.Apply(&u.Commits[i]); err != nil {
			return err
		}
	}
	if c.Head() != u.Head {
		return fmt.Errorf("it leads to %+v, not to the head it states, %+v", c.Head(), u.Head)
	}
	return nil
}

// holds wants exactly these flags in the set.
func (e *env) holds(want map[string][]byte) {
	e.Helper()
	cp := contentsOf(e, set).Checkpoint()
	got := map[string][]byte{}
	for _, entry := range cp.Entries {
		got[entry.Key.Name] = entry.Bytes
	}
	if len(got) != len(want) || len(cp.Entries) != len(want) {
		e.Fatalf("the set has %d entries, want %d", len(cp.Entries), len(want))
	}
	for k, v := range want {
		if !bytes.Equal(got[k], v) {
			e.Fatalf("flag %q is %q, want %q", k, got[k], v)
		}
	}
}

// same wants two accepted commits to be one, byte by byte.
func (e *env) same(what string, got, want flags.Commit) {
	e.Helper()
	g, gerr := got.MarshalBinary()
	w, werr := want.MarshalBinary()
	if gerr != nil || werr != nil || !bytes.Equal(g, w) {
		e.Fatalf("%s: got %+v (%v), want %+v (%v)", what, got, gerr, want, werr)
	}
}

func headOf(c flags.Commit) flags.Head { return c.Head() }

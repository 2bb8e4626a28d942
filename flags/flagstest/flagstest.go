// Package flagstest gives unit tests a real client on flags that the test
// defines: no network, no files, no mocks.
//
//	client := flagstest.New(t, flagstest.Bool("new-checkout", true))
//
// What the test states is checked as strictly as a write to a router, so a test
// cannot pass on a flag that could not exist. Change flags under a running client
// with [NewSet].
package flagstest

import (
	"context"
	"log/slog"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// setName is the set that the clients follow.
const setName = "default"

// New returns a client that answers from the flags given. It is ready, and is
// closed when the test ends. A flag that is not valid ends the test.
func New(t testing.TB, given ...Flag) *flags.Client {
	t.Helper()
	return NewSet(t, given...).Client()
}

// Set is a flag set with a client on it, for tests in which flags change.
type Set struct {
	store  *memstore.Store
	client *flags.Client
}

// NewSet returns a set of the flags given with a client that follows it. Both are
// closed when the test ends.
func NewSet(t testing.TB, given ...Flag) *Set {
	t.Helper()
	s := &Set{store: memstore.New(nil)}
	s.write(t, flags.OpCreate, changes(t, given))
	client, err := flags.New(t.Context(), flags.Options{
		Set:     setName,
		Primary: flags.Layer{Source: s.store, Watcher: s.store},
		Logger:  slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("flagstest: %v", err)
	}
	t.Cleanup(func() {
		// Neither can fail in a way that a test could do something about.
		_ = client.Close()
		_ = s.store.Close()
	})
	s.client = client
	if err := client.WaitReady(t.Context()); err != nil {
		t.Fatalf("flagstest: %v", err)
	}
	return s
}

// Client returns the client.
func (s *Set) Client() *flags.Client { return s.client }

// Put adds flags, or replaces those of the same key, overrides included, in one
// commit. When it returns, reads see it.
func (s *Set) Put(t testing.TB, given ...Flag) {
	t.Helper()
	var all []flags.Mutation
	snapshot := s.client.View(t.Context()).Snapshot()
	next := changes(t, given)
	for _, f := range given {
		for e := range snapshot.Entries() {
			if e.Key.Kind == flags.KindOverride && e.Key.Name == f.key && !mentions(next, e.Key) {
				all = append(all, flags.Mutation{Key: e.Key})
			}
		}
	}
	s.await(t, s.write(t, flags.OpChange, append(all, next...)))
}

// Remove deletes flags in one commit. When it returns, reads see it.
func (s *Set) Remove(t testing.TB, keys ...string) {
	t.Helper()
	var all []flags.Mutation
	snapshot := s.client.View(t.Context()).Snapshot()
	for _, key := range keys {
		for e := range snapshot.Entries() {
			if e.Key.Name == key && (e.Key.Kind == flags.KindFlag || e.Key.Kind == flags.KindOverride) {
				all = append(all, flags.Mutation{Key: e.Key})
			}
		}
	}
	s.await(t, s.write(t, flags.OpChange, all))
}

func mentions(all []flags.Mutation, key flags.EntryKey) bool {
	for _, m := range all {
		if m.Key == key {
			return true
		}
	}
	return false
}

func (s *Set) write(t testing.TB, op flags.Op, all []flags.Mutation) flags.Token {
	t.Helper()
	c, err := s.store.Apply(t.Context(), flags.Commit{
		Set: setName, ID: flags.NewCommitID(), Op: op, Changes: all, Actor: flags.Actor{Kind: "system", ID: t.Name(), Via: "flagstest"},
	})
	if err != nil {
		t.Fatalf("flagstest: %v", err)
	}
	return c.Head().Token()
}

func (s *Set) await(t testing.TB, token flags.Token) {
	t.Helper()
	view := s.client.View(flags.AtLeast(context.WithoutCancel(t.Context()), token))
	if view.Freshness() == flags.FreshnessNotFresh {
		t.Fatalf("flagstest: the client did not reach %s", token)
	}
}

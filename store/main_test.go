package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// flagOf is a definition that carries a number.
func flagOf(n int) []byte {
	data, err := flags.Canonical([]byte(`{"state":"ENABLED","variants":{"v":` + string(rune('0'+n%10)) + `},"defaultVariant":"v"}`))
	if err != nil {
		panic(err)
	}
	return data
}

func put(key string, data []byte) flags.Mutation {
	return flags.Mutation{Key: flags.FlagKey(key), Bytes: data}
}

func commit(set string, changes ...flags.Mutation) flags.Commit {
	return flags.Commit{Set: set, ID: flags.NewCommitID(), Changes: changes}
}

// newShop returns a store with a set "shop".
func newShop(t testing.TB, changes ...flags.Mutation) *memstore.Store {
	t.Helper()
	s := memstore.New(nil)
	t.Cleanup(func() { _ = s.Close() })
	c := commit("shop", changes...)
	c.Op = flags.OpCreate
	apply(t, s, c)
	return s
}

func apply(t testing.TB, s store.Writer, c flags.Commit) flags.Commit {
	t.Helper()
	accepted, err := s.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return accepted
}

// composed is a store whose reading goes through a decorated source.
type composed struct {
	store.Store
	reads flags.Source
}

func (c composed) Head(ctx context.Context, set string) (flags.Head, error) {
	return c.reads.Head(ctx, set)
}

func (c composed) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	return c.reads.Fetch(ctx, set, have)
}

// closedGate lets everything through.
type closedGate struct{}

func (closedGate) Run(ctx context.Context, _ time.Duration, fn func(context.Context) error) error {
	return fn(ctx)
}

// unreachable is a source that nobody can reach.
type unreachable struct{}

var errUnreachable = errors.New("no route to host")

func (unreachable) Head(context.Context, string) (flags.Head, error) {
	return flags.Head{}, store.Classify("test: head", errUnreachable)
}

func (unreachable) Fetch(context.Context, string, flags.Head) (flags.Update, error) {
	return flags.Update{}, store.Classify("test: fetch", errUnreachable)
}

// TestDecorators holds every decorator around the reference store to the contract.
func TestDecorators(t *testing.T) {
	for name, decorate := range map[string]func(*memstore.Store) store.Store{
		"observe": func(s *memstore.Store) store.Store { return store.Observe(s, func(store.Observation) {}) },
		"coalesce over bulkhead": func(s *memstore.Store) store.Store {
			return composed{s, store.Coalesce(store.Bulkhead(s, store.NewSlots(nil)), nil)}
		},
		"fallback, primary well": func(s *memstore.Store) store.Store {
			return composed{s, store.Fallback(s, unreachable{}, closedGate{}, nil)}
		},
		"fallback, primary gone": func(s *memstore.Store) store.Store {
			return composed{s, store.Fallback(unreachable{}, s, closedGate{}, nil)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			except := map[string]string{
				"reopen": "nothing outlives the process",
				"tamper": "nothing is stored outside the process",
			}
			if name != "observe" {
				except["volume/a commit too large is refused"] = "writes do not pass through it"
				except["volume/a large commit"] = "writes do not pass through it"
			}
			if name == "fallback, primary gone" {
				except["fetch/of no set"] = "only the primary can say that there is no such set"
				except["errors/a closed store says so"] = "to the caller a closed secondary is an outage"
			}
			decorated := map[store.Store]*memstore.Store{}
			storetest.Run(t, storetest.Harness{
				New: func(t testing.TB) store.Store {
					s := memstore.New(nil)
					t.Cleanup(func() { _ = s.Close() })
					d := decorate(s)
					decorated[d] = s
					return d
				},
				Compact: func(t testing.TB, s store.Store, set string) {
					if err := decorated[s].Compact(t.Context(), set, 3); err != nil {
						t.Fatal(err)
					}
				},
				Except: except,
				Flags:  500, Commits: 100,
			})
		})
	}
}

package router

import (
	"context"
	_ "embed" // of the sample
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

//go:embed sample.json
var sample []byte

// Sample returns the flags that a new router shows what flags can do with.
func Sample() (*flags.Document, error) { return flags.ParseDocument(sample, "sample.json") }

// Seed creates set with the entries of doc, or empty where doc is nil, if the
// store has no sets at all. It reports whether it did. Another router that seeds
// the same store at the same time is no error.
func Seed(ctx context.Context, st store.Store, set string, doc *flags.Document, from string) (bool, error) {
	heads, err := st.Sets(ctx)
	if err != nil || len(heads) > 0 {
		return false, err
	}
	c := flags.Commit{
		Set: set, ID: flags.NewCommitID(), Op: flags.OpCreate,
		Actor: flags.Actor{Kind: "system", ID: "flagrouter", Via: "seed"}, Reason: "first start: " + from,
	}
	if doc != nil {
		if err := doc.Check(); err != nil {
			return false, err
		}
		for _, e := range doc.Entries() {
			c.Changes = append(c.Changes, flags.Mutation{Key: e.Key, Bytes: e.Bytes})
		}
	}
	if _, err := st.Apply(ctx, c); err != nil && !errors.Is(err, store.ErrExists) {
		return false, err
	}
	return true, nil
}

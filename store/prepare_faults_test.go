package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// TestPrepareRefusesBadDefinitions: what no client could evaluate gets into no
// store, and the writer learns of every fault at once.
func TestPrepareRefusesBadDefinitions(t *testing.T) {
	contents := flags.NewContents("s")
	_, err := store.Prepare(contents, flags.Commit{Set: "s", ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: []flags.Mutation{
		{Key: flags.FlagKey("a"), Bytes: []byte(`{"defaultVariant":"x","variants":{"on":true}}`)},
		{Key: flags.FlagKey("b"), Bytes: []byte(`{}`)},
		{Key: flags.FlagKey("c"), Bytes: []byte(`{"variants":{"on":true}}`)},
		{Key: flags.OverrideKey("c", "e"), Bytes: []byte{}},
	}}, time.Now())
	var invalid *flags.ValidationError
	if !errors.Is(err, store.ErrInvalid) || !errors.Is(err, flags.ErrInvalid) || !errors.As(err, &invalid) || len(invalid.Faults) != 3 {
		t.Fatalf("want three faults, got %v", err)
	}
	if store.Class(err) != flags.ClassPermanent {
		t.Errorf("class %v: asking elsewhere would not help", store.Class(err))
	}
	if !contents.Head().IsZero() {
		t.Errorf("refused, but the set is at %s", contents.Head().Token())
	}
}

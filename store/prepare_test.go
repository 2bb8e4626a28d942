package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// TestSetTooLargeIsRefused fills a set, at the end with commits that are small
// each, until its checkpoint would not fit any more.
func TestSetTooLargeIsRefused(t *testing.T) {
	contents := flags.NewContents("shop")
	propose := func(c flags.Commit) error {
		accepted, err := store.Prepare(contents, c, time.Now())
		if err == nil {
			err = contents.Apply(&accepted)
		}
		return err
	}
	c := commit("shop")
	c.Op = flags.OpCreate
	if err := propose(c); err != nil {
		t.Fatal(err)
	}
	big := []byte(`{"state":"ENABLED","variants":{"v":"` + strings.Repeat("x", 1000<<10) + `"},"defaultVariant":"v"}`)
	big, err := flags.Canonical(big)
	if err != nil {
		t.Fatal(err)
	}
	// The first ones are only sealed: parsing each would take most of the test.
	first := commit("shop")
	for i := range 40 {
		first.Changes = append(first.Changes, put(fmt.Sprintf("flag-%d", i), big))
	}
	if err := contents.Seal(&first); err != nil {
		t.Fatal(err)
	}
	if err := contents.Apply(&first); err != nil {
		t.Fatal(err)
	}
	for i := 40; err == nil && i < 100; i++ {
		err = propose(commit("shop", put(fmt.Sprintf("flag-%d", i), big)))
	}
	if !errors.Is(err, flags.ErrTooLarge) || store.Class(err) != flags.ClassPermanent {
		t.Fatalf("after %d flags: %v", contents.Head().Count, err)
	}
	last := contents.Head()
	if last.Count < 40 {
		t.Fatalf("refused after %d MB", last.Count)
	}
	if _, err := contents.Checkpoint().MarshalBinary(); err != nil {
		t.Fatalf("what was accepted does not fit a checkpoint: %v", err)
	}
	// Replacing what is there and deleting are still possible.
	if err := propose(commit("shop", put("flag-0", big))); err != nil {
		t.Error(err)
	}
	if err := propose(commit("shop", flags.Mutation{Key: flags.FlagKey("flag-0")})); err != nil {
		t.Error(err)
	}
	if err := propose(commit("shop", put("again", big))); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

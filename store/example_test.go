package store_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleEditEntry() {
	ctx := context.Background()
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()
	if _, err := s.Apply(ctx, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		fmt.Println(err)
		return
	}

	owner := flags.EntryKey{Kind: flags.KindMetadata, Name: "owner"}
	written, err := store.EditEntry(ctx, s, flags.Commit{Set: "shop", Reason: "handed over"}, owner, func(old []byte) ([]byte, error) {
		fmt.Println("was there:", old != nil)
		return []byte(`"checkout team"`), nil
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(written.Version, written.Reason)
	// Output:
	// was there: false
	// 0.2 handed over
}

func ExampleObserve() {
	ctx := context.Background()
	s := store.Observe(memstore.New(nil), func(o store.Observation) {
		if o.Err != nil {
			fmt.Printf("%s %s: %s\n", o.Op, o.Set, o.Class())
		}
	})
	defer func() { _ = s.Close() }()
	_, _ = s.Head(ctx, "nowhere")
	// Output: head nowhere: not found
}

package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

func Example() {
	dir, err := os.MkdirTemp("", "holdfast")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "holdfast.db")
	ctx := context.Background()

	s, err := boltstore.Open(path, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// On disk once Apply returns.
	if _, err := s.Apply(ctx, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		fmt.Println(err)
	}
	_ = s.Close()

	if s, err = boltstore.Open(path, nil); err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = s.Close() }()
	head, err := s.Head(ctx, "shop")
	fmt.Println(head.Version, err)
	// Output: 0.1 <nil>
}

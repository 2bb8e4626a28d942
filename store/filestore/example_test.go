package filestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/filestore"
)

func ExampleLastKnownGood() {
	dir, err := os.MkdirTemp("", "holdfast")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)

	file := filestore.NewLastKnownGood(filepath.Join(dir, "app.lkg"), "default", nil)
	defer file.Close()

	contents := flags.NewContents("default")
	commit := flags.Commit{Op: flags.OpCreate}
	if err := contents.Seal(&commit); err != nil {
		fmt.Println(err)
		return
	}
	if err := contents.Apply(&commit); err != nil {
		fmt.Println(err)
		return
	}
	if err := file.Put(context.Background(), flags.Update{Head: contents.Head()}, contents.Checkpoint); err != nil {
		fmt.Println(err)
		return
	}

	head, err := file.Head(context.Background(), "default")
	fmt.Println(head.Version, err)
	// Output: 0.1 <nil>
}

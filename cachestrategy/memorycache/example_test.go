package memorycache_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
)

func Example() {
	ctx := context.Background()
	cache, err := memorycache.Open("memory:?max-entries=100&max-bytes=16MiB")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close()

	contents := flags.NewContents("shop")
	create := flags.Commit{Op: flags.OpCreate, ID: flags.NewCommitID(), Changes: []flags.Mutation{{
		Key:   flags.FlagKey("new-checkout"),
		Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`),
	}}}
	if err := contents.Seal(&create); err != nil {
		fmt.Println(err)
		return
	}
	if err := contents.Apply(&create); err != nil {
		fmt.Println(err)
		return
	}

	outcome, err := cache.Put(ctx, cachestrategy.Offer{
		Update: flags.Update{Head: contents.Head(), Checkpoint: contents.Checkpoint()},
	})
	fmt.Println(outcome, err)
	entry, err := cache.Get(ctx, cachestrategy.Query{Set: "shop"})
	fmt.Println(entry.Head.Version, len(entry.Checkpoint.Entries), entry.TTL(), err)
	// Output:
	// stored <nil>
	// 0.1 1 1m0s <nil>
}

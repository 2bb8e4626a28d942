package flags_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// A client over one layer, put together by hand. Package standard does it from
// URLs, with every layer.
func ExampleNew() {
	ctx := context.Background()
	store := memstore.New(nil)
	defer func() { _ = store.Close() }()
	write := func(op flags.Op, text string) flags.Token {
		c, err := store.Apply(ctx, flags.Commit{
			Set: "checkout", ID: flags.NewCommitID(), Op: op,
			Changes: []flags.Mutation{{Key: flags.FlagKey("one-click"), Bytes: []byte(text)}},
		})
		if err != nil {
			panic(err)
		}
		return c.Head().Token()
	}
	write(flags.OpCreate, `{"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}`)

	client, err := flags.New(ctx, flags.Options{
		Set:     "checkout",
		Primary: flags.Layer{Source: store, Watcher: store},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	tenant := flags.Entity("tenant-42")
	fmt.Println(client.Bool(ctx, "one-click", tenant, true))

	// A read that carries the token of a write sees that write.
	token := write(flags.OpChange, `{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`)
	d := client.BoolDetails(flags.AtLeast(ctx, token), "one-click", tenant, false)
	fmt.Println(d.Value, d.Variant, d.Reason, d.Freshness, d.Token().Version)
	// Output:
	// false
	// true on STATIC FRESH 0.2
}

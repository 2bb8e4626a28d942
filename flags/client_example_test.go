package flags_test

import (
	"context"
	"errors"
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

// A gate that must fail closed: the default is given where the primary does not confirm
// what is held, and a session tells what it was answered from.
func ExampleStrict() {
	ctx := context.Background()
	client, err := flags.New(ctx, flags.Options{Set: "access", StartTimeout: -1}) // nothing to ask
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	gate := flags.Strict(flags.Fresh(ctx))
	d := client.BoolDetails(gate, "may-pay", flags.Entity("user-7"), false)
	fmt.Println(d.Value, d.Reason, errors.Is(d.Err(), flags.ErrNotFresh))

	request := flags.WithSession(ctx)
	flags.Saw(request, flags.Token{Set: "access", Version: flags.Version{Revision: 7}}) // from the caller's header
	_, err = client.Require(request)
	fmt.Println(err)
	fmt.Println(flags.Demands(request), flags.SessionTokens(request))
	// Output:
	// false ERROR true
	// flags: not fresh: access@0.7 is demanded, nothing is held
	// [access@0.7] [access@0.7]
}

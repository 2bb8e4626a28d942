package memstore_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func Example() {
	ctx := context.Background()
	s := memstore.New(nil)
	defer func() { _ = s.Close() }()

	created, err := s.Apply(ctx, flags.Commit{Set: "checkout", ID: flags.NewCommitID(), Op: flags.OpCreate})
	if err != nil {
		fmt.Println(err)
		return
	}
	stream, err := s.Watch(ctx, "checkout", created.Head())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Apply(ctx, flags.Commit{
		Set: "checkout", ID: flags.NewCommitID(), Reason: "first flag",
		Changes: []flags.Mutation{{
			Key:   flags.FlagKey("one-click"),
			Bytes: []byte(`{"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}`),
		}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	event, err := stream.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range event.Commits {
		fmt.Println(c.Version, c.Changes[0].Key, c.Reason)
	}
	// Output: 0.2 flag "one-click" first flag
}

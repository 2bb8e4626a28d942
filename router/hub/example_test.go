package hub_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleHub() {
	ctx := context.Background()
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	if _, err := st.Apply(ctx, flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		fmt.Println(err)
		return
	}

	h := hub.New(st, nil)
	defer h.Close()
	set, err := h.Open(ctx, "default")
	if err != nil {
		fmt.Println(err)
		return
	}
	// Whoever follows remembers where it is, and asks what leads on from there.
	lead := set.Lead(flags.Head{})
	fmt.Println(lead.Head.Version, lead.Base != nil)
	lead = set.Lead(lead.Head)
	fmt.Println(lead.Moves())
	// Output:
	// 0.1 true
	// false
}

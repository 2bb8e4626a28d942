package flags_test

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// A snapshot can be read without a client, by whoever holds a set.
func ExampleSnapshot_View() {
	set := flags.NewContents("checkout")
	created := flags.Commit{ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: []flags.Mutation{
		{Key: flags.FlagKey("new-checkout"), Bytes: []byte(`{"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on"]},"variants":{"off":false,"on":true}}`)},
		{Key: flags.OverrideKey("new-checkout", "tenant-42"), Bytes: []byte(`{"variant":"off"}`)},
	}}
	if err := set.Seal(&created); err != nil {
		fmt.Println(err)
		return
	}
	snapshot, err := flags.NewSnapshot(set.Checkpoint()).Apply(created)
	if err != nil {
		fmt.Println(err)
		return
	}
	view := snapshot.View()
	for _, tenant := range []string{"tenant-7", "tenant-42"} {
		d := view.BoolDetails("new-checkout", flags.Entity(tenant, flags.String("plan", "pro")), false)
		fmt.Println(tenant, d.Value, d.Variant, d.Reason)
	}
	fmt.Println(view.BoolDetails("no-checkout", flags.EvaluationContext{}, true).ErrorCode)
	// Output:
	// tenant-7 true on TARGETING_MATCH
	// tenant-42 false off TARGETING_MATCH
	// FLAG_NOT_FOUND
}

package standard_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

func Example() {
	dir, err := os.MkdirTemp("", "flags")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "flags.json")
	definition := `{"flags": {"new-checkout": {
		"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
		"targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "on"]}
	}}}`
	if err := os.WriteFile(path, []byte(definition), 0o600); err != nil {
		fmt.Println(err)
		return
	}

	ctx := context.Background()
	client, err := standard.New(ctx, standard.Config{
		Primary:       "file:" + path, // or grpc://router:8015, with mongodb:// as Secondary and redis:// as Cache
		LastKnownGood: filepath.Join(dir, "flags.lkg"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()

	tenant := flags.Entity("tenant-42", flags.String("plan", "pro"))
	fmt.Println(client.Bool(ctx, "new-checkout", tenant, false))
	d := client.BoolDetails(ctx, "new-checkout", tenant, false)
	fmt.Println(d.Variant, d.Reason, d.Freshness, d.Layer())
	// Output:
	// true
	// on TARGETING_MATCH FRESH primary
}

package openfeature_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags/openfeature"
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
	client, err := standard.New(ctx, standard.Config{Primary: "file:" + path}) // or grpc://router:8015, ...
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	if err := of.SetNamedProviderAndWait("shop", openfeature.NewProvider(client)); err != nil {
		fmt.Println(err)
		return
	}
	defer of.Shutdown()

	shop := of.NewClient("shop")
	tenant := of.NewEvaluationContext("tenant-42", map[string]any{"plan": "pro"})
	fmt.Println(shop.Boolean(ctx, "new-checkout", false, tenant))
	d, err := shop.BooleanValueDetails(ctx, "no-such-flag", false, tenant)
	fmt.Println(d.Value, d.Reason, d.ErrorCode, err != nil)
	// Output:
	// true
	// false ERROR FLAG_NOT_FOUND true
}

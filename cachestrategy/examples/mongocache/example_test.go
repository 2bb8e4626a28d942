package mongocache_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/examples/mongocache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

// The cache is registered by a name, which the URL begins with. That nobody listens
// at this address shows what a cache is worth when it is gone: nothing is missing.
func Example() {
	dir, err := os.MkdirTemp("", "flags")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "flags.json")
	file := `{"flags": {"beta": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "on"}}}`
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	client, err := standard.New(ctx, standard.Config{
		Primary:    "file:" + path,
		Cache:      "mongo:mongodb://127.0.0.1:1/app",
		Strategies: map[string]cachestrategy.Factory{"mongo": mongocache.Factory},
		Logger:     slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = client.Close() }()
	fmt.Println(client.Bool(ctx, "beta", flags.Entity("tenant-42"), false))
	// Output: true
}

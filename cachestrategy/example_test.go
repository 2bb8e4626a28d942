package cachestrategy_test

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
)

func Example() {
	shared := memorycache.New(&memorycache.Options{MaxBytes: 8 << 20})
	defer func() { _ = shared.Close() }()

	registry := cachestrategy.NewRegistry()
	registry.Register("memory", func(url string) (cachestrategy.Strategy, error) { return memorycache.Open(url) })
	// One cache for all clients of this process, by a name of its own.
	registry.Register("process", func(string) (cachestrategy.Strategy, error) { return cachestrategy.Shared(shared), nil })

	cache, err := registry.Open("process")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(cache.Close()) // the others go on using it

	_, err = registry.Open("memcached://cache")
	fmt.Println(err)
	// Output:
	// <nil>
	// unknown cache strategy "memcached" (known: memory, process)
}

package rediscache_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
)

func Example() {
	// Opening does not connect, so a service starts whether or not its Redis is up.
	cache, err := rediscache.Open("redis://127.0.0.1:1?prefix=holdfast", &rediscache.Options{Timeout: 50 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = cache.Close() }()

	// Nobody listens there. The error says that another layer is to be asked.
	_, err = cache.Get(context.Background(), cachestrategy.Query{Set: "checkout-prod"})
	fmt.Println(flags.ClassOf(err), errors.Is(err, cachestrategy.ErrMiss))
	// Output: transient false
}

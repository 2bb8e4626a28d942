package grpcstore_test

import (
	"context"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

func ExampleOpen() {
	router, err := grpcstore.Open("grpc://127.0.0.1:1", &grpcstore.Options{
		Identity: grpcstore.Identity{Name: "checkout", Instance: "checkout-7f9c"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = router.Close() }()

	// Nobody listens there: that is an outage, not a mistake of the caller's.
	_, err = router.Head(context.Background(), "default")
	fmt.Println(flags.ClassOf(err))
	// Output: transient
}

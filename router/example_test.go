package router_test

import (
	"context"
	"fmt"
	"net"

	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleRouter_Serve() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	st := memstore.New(nil)
	sample, err := router.Sample()
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := router.Seed(ctx, st, "default", sample, "the sample"); err != nil {
		fmt.Println(err)
		return
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	ended := make(chan error)
	go func() { ended <- router.New(router.Options{Store: st}).Serve(ctx, router.Listeners{GRPC: listener}) }()

	client, err := grpcstore.Open("grpc://"+listener.Addr().String(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	head, err := client.Head(ctx, "default")
	fmt.Println(head.Set, head.Version, err)
	_ = client.Close()
	stop()
	fmt.Println(<-ended)
	// Output:
	// default 0.1 <nil>
	// <nil>
}

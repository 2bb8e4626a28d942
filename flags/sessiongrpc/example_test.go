package sessiongrpc_test

import (
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags/sessiongrpc"
)

// A service that takes part in sessions, as the one that is called and the one that calls.
func Example() {
	server := grpc.NewServer(
		grpc.ChainUnaryInterceptor(sessiongrpc.UnaryServer(nil)),
		grpc.ChainStreamInterceptor(sessiongrpc.StreamServer(nil)),
	)
	defer server.Stop()

	conn, err := grpc.NewClient("dns:///billing:8080",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithChainUnaryInterceptor(sessiongrpc.UnaryClient(nil)),
		grpc.WithChainStreamInterceptor(sessiongrpc.StreamClient(nil)),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer conn.Close()
	fmt.Println(sessiongrpc.Key)
	// Output: holdfast-revision
}

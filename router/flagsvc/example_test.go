package flagsvc_test

import (
	"fmt"

	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleNew() {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	h := hub.New(st, nil)
	defer h.Close()

	server := grpc.NewServer(flagsvc.ServerOptions(nil, nil, nil)...)
	defer server.Stop()
	flagsvc.New(flagsvc.Options{Store: st, Hub: h}).Register(server)
	fmt.Println(len(server.GetServiceInfo()), "services")
	// Output: 3 services
}

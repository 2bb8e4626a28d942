package reststore_test

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// A router's REST API, here without the rest of the router, and its client.
func Example() {
	st := memstore.New(nil)
	defer st.Close()
	followed := hub.New(st, nil)
	defer followed.Close()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Println(err)
		return
	}
	server := &http.Server{Handler: restapi.New(restapi.Options{Store: st, Hub: followed})}
	go func() { _ = server.Serve(lis) }() // ends with Close
	defer server.Close()

	primary, err := reststore.Open("rest+http://"+lis.Addr().String(), nil)
	if err != nil {
		fmt.Println(err) // of the URL; nothing has been sent yet
		return
	}
	defer primary.Close()

	ctx := context.Background()
	if _, err := st.Apply(ctx, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}); err != nil {
		fmt.Println(err)
		return
	}
	head, err := primary.Head(ctx, "shop")
	fmt.Println(head.Set, head.Version, err)
	_, err = primary.Head(ctx, "nowhere")
	fmt.Println(flags.ClassOf(err))
	// Output:
	// shop 0.1 <nil>
	// not found
}

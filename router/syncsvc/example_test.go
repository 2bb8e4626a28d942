package syncsvc_test

import (
	"fmt"

	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleNew() {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	h := hub.New(st, nil)
	defer h.Close()
	e := evaluator.New(evaluator.Options{Hub: h})
	defer e.Close()

	server := grpc.NewServer(flagsvc.ServerOptions(nil, nil, nil)...)
	defer server.Stop()
	syncsvc.New(syncsvc.Options{Evaluator: e, Heads: st}).Register(server)
	fmt.Println(len(server.GetServiceInfo()), "service")
	// Output: 1 service
}

func ExampleDocument() {
	text := `{"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}`
	set := flags.NewSnapshot(&flags.Checkpoint{
		Head: flags.Head{Set: "shop", Version: flags.Version{Revision: 2}},
		Entries: []flags.Entry{
			{Key: flags.FlagKey("new-checkout"), Bytes: []byte(text)},
			{Key: flags.OverrideKey("new-checkout", "tenant-42"), Bytes: []byte(`{"variant":"on"}`)},
		},
	})
	flag, _ := flags.ParseValue(syncsvc.Document(set))
	for _, name := range []string{"flags", "new-checkout", "targeting"} {
		flag, _ = flag.Get(name)
	}
	fmt.Println(flag)
	// Output: {"if":[{"in":[{"var":"targetingKey"},["tenant-42"]]},"on"]}
}

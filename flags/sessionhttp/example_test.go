package sessionhttp_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// change writes the flag, as the router does for flagctl or the admin page.
func change(st *memstore.Store, op flags.Op, variant string) flags.Token {
	text := fmt.Sprintf(`{"defaultVariant":%q,"state":"ENABLED","variants":{"off":false,"on":true}}`, variant)
	c, err := st.Apply(context.Background(), flags.Commit{
		Set: "shop", ID: flags.NewCommitID(), Op: op,
		Changes: []flags.Mutation{{Key: flags.FlagKey("one-click"), Bytes: []byte(text)}},
	})
	if err != nil {
		panic(err)
	}
	return c.Head().Token()
}

// Two services, and a session that is served by both: whoever calls, and whoever is
// called, answers from the version that the other has seen, or a newer one.
func Example() {
	st := memstore.New(nil)
	defer st.Close()
	change(st, flags.OpCreate, "off")
	client, err := flags.New(context.Background(), flags.Options{Set: "shop", Primary: flags.Layer{Source: st, Watcher: st}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	// The service that is called.
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, client.Bool(r.Context(), "one-click", flags.Entity("tenant-42"), false))
	})
	server := httptest.NewServer(sessionhttp.Handler(handler, nil))
	defer server.Close()

	// The one that calls.
	calls := &http.Client{Transport: sessionhttp.Transport(nil, nil)}
	ctx := flags.WithSession(context.Background())
	flags.Saw(ctx, change(st, flags.OpChange, "on"))

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := calls.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	fmt.Println(string(body), err)
	fmt.Println(flags.SessionTokens(ctx)[0].Version)
	// Output:
	// true <nil>
	// 0.2
}

package router_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/flagcases"
	syncv1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// casesSet is the set that everybody asks about, and never the default one.
const casesSet = "cases"

// conformance is a router with the set of all cases, and a client for each way to it.
type conformance struct {
	t      *testing.T
	sdk    *flags.Client   // ours, following the router
	synced *flags.Snapshot // what a provider made of the document that it was served
	eval   *grpc.ClientConn
	http   map[string]*http.Client // by host: eval, web
	bulks  map[string]map[string]flags.Value
}

func newConformance(t *testing.T) *conformance {
	t.Helper()
	mem := memstore.New(nil)
	fill(t, mem)
	served := serve(t, router.Options{Store: mem})
	r := &conformance{t: t, bulks: map[string]map[string]flags.Value{}}
	r.http = map[string]*http.Client{"eval": over(t, served.eval), "web": over(t, served.http)}
	r.eval = dialed(t, served.eval)
	r.synced = fetched(t, dialed(t, served.grpc))

	source := served.client(t)
	client, err := flags.New(t.Context(), flags.Options{Set: casesSet, Primary: flags.Layer{Name: "router", Source: source, Watcher: source}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := client.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	r.sdk = client
	return r
}

// fill writes the set as an import would, and then what no writer lets through, as a
// replica may bring it.
func fill(t *testing.T, mem *memstore.Store) {
	t.Helper()
	doc, err := flags.ParseDocument([]byte(flagcases.Document), casesSet)
	if err != nil {
		t.Fatal(err)
	}
	first := flags.Commit{Set: casesSet, Op: flags.OpCreate}
	for _, e := range doc.Entries() {
		first.Changes = append(first.Changes, flags.Mutation{Key: e.Key, Bytes: e.Bytes})
	}
	apply(t, mem, first)
	update, err := mem.Fetch(t.Context(), casesSet, flags.Head{})
	if err != nil {
		t.Fatal(err)
	}
	contents, err := store.Assemble(casesSet, update)
	if err != nil {
		t.Fatal(err)
	}
	second := flags.Commit{Set: casesSet, ID: flags.NewCommitID(), Time: time.Now()}
	for key, text := range flagcases.Unchecked {
		second.Changes = append(second.Changes, flags.Mutation{Key: flags.FlagKey(key), Bytes: []byte(text)})
	}
	if err := contents.Seal(&second); err != nil {
		t.Fatal(err)
	}
	if err := mem.Append(t.Context(), casesSet, []flags.Commit{second}); err != nil {
		t.Fatal(err)
	}
}

// over returns a client that reaches one listener by whatever name.
func over(t *testing.T, to *faultnet.Pipes) *http.Client {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return to.DialContext(ctx) }}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, Timeout: time.Minute}
}

// dialed returns a connection of grpc-go, as providers make theirs.
func dialed(t *testing.T, to *faultnet.Pipes) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:router", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return to.DialContext(ctx) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// fetched is the set as a provider holds it that evaluates by itself.
func fetched(t *testing.T, conn *grpc.ClientConn) *flags.Snapshot {
	t.Helper()
	res, err := syncv1.NewFlagSyncServiceClient(conn).FetchAllFlags(selecting(t.Context()), &syncv1.FetchAllFlagsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := flagdfile.Parse([]byte(res.FlagConfiguration), "sync.json")
	if err != nil {
		t.Fatal(err)
	}
	entries := doc.Entries()
	return flags.NewSnapshot(&flags.Checkpoint{Head: flags.Head{Set: casesSet, Count: len(entries)}, Entries: entries})
}

// post sends a body to a path of a host and returns the answer, whatever its status.
func (r *conformance) post(host, path, body string) (int, flags.Value) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, "http://"+host+path, bytes.NewBufferString(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Flagd-Selector", "flagSetId="+casesSet)
	res, err := r.http[host].Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, parsed(r.t, string(text))
}

func (r *conformance) token() string { return r.sdk.View(r.t.Context()).Token().String() }

func parsed(t *testing.T, text string) flags.Value {
	t.Helper()
	v, err := flags.ParseValue([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// canonical is JSON in the one form in which equal values are equal texts.
func canonical(t *testing.T, text string) string {
	t.Helper()
	if text == "" {
		return ""
	}
	return parsed(t, text).String()
}

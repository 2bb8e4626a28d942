package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"

	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	syncpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
)

const (
	resolvePath   = "/flagd.evaluation.v2.Service/ResolveBoolean"
	fetchAllPath  = "/flagd.sync.v1.FlagSyncService/FetchAllFlags"
	bulkPath      = "/ofrep/v1/evaluate/flags"
	jsonType      = "application/json"
	wrongSelector = `invalid selector key "x", valid keys: "flagSetId", "source"`
)

// TestStrangers is a router, with the protocols that anybody may speak to it, among
// people who mean harm or make mistakes: thousands hold connections and say nothing,
// some ask and never read, some send what is wrong. Each gets the answer that the
// protocol has for it, the router stays within its memory, and one client that does
// nothing wrong notices nothing of it all.
func TestStrangers(t *testing.T) {
	t.Parallel() // it waits a lot
	eval := freeAddr(t)
	r := startRouter(t, "--eval-addr", eval)
	fillWithText(t, r)
	c := newRegular(t, r, eval)

	silent := holdSilent(t, eval, r.grpc, r.http)
	held := heldBy(t, r)
	t.Run("bad requests", func(t *testing.T) { badRequests(t, r, eval) })
	t.Run("bad calls", func(t *testing.T) { badCalls(t, r, eval) })
	t.Run("never reading", func(t *testing.T) { neverRead(t, r, eval) })
	c.seesChanges()

	const bound = 512
	asked := c.stop()
	t.Logf("%d silent connections: the router holds %.0f MiB, and %.0f with clients that never read; the regular one asked %d times", len(silent), held, heldBy(t, r), asked)
	if held = max(held, heldBy(t, r)); held > bound || asked == 0 {
		t.Errorf("the router holds %.0f MiB, want at most %d; the regular client asked %d times", held, bound, asked)
	}
	waitClosed(t, silent)
}

func badRequests(t *testing.T, r *router, eval string) {
	h1, h2 := &http.Transport{}, &http.Transport{Protocols: new(http.Protocols)}
	h2.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(h1.CloseIdleConnections)
	t.Cleanup(h2.CloseIdleConnections)
	good := `{"flagKey":"new-checkout"}`
	large := `{"context":{"a":"` + strings.Repeat("x", 1_000_000) + `"},"flagKey":"new-checkout"}`
	for _, c := range []struct {
		name, addr, path, contentType, body, header string
		status                                      int
		says                                        string
	}{
		{"nothing", eval, resolvePath, jsonType, good, "", 200, `"variant":"off"`},
		{"nothing", r.http, bulkPath + "/new-checkout", jsonType, `{}`, "", 200, `"variant":"off"`},
		{"unknown method", eval, resolvePath + "s", jsonType, good, "", 404, ""},
		{"unknown method", r.http, "/ofrep/v1/evaluations", jsonType, `{}`, "", 404, "no such resource"},
		{"wrong content type", eval, resolvePath, "text/plain", good, "", 415, ""},
		{"wrong content type, as flagd takes it", r.http, bulkPath, "text/plain", `{}`, "", 200, `"flags"`},
		{"large body", eval, resolvePath, jsonType, large, "", 429, `"code":"resource_exhausted"`},
		{"large body", r.http, bulkPath, jsonType, large, "", 413, "too large"},
		{"large header", eval, resolvePath, jsonType, good, "X-Large: " + strings.Repeat("x", 128<<10), 431, ""},
		{"large header", r.http, bulkPath, jsonType, `{}`, "X-Large: " + strings.Repeat("x", 128<<10), 431, ""},
		{"no JSON", eval, resolvePath, jsonType, good[1:], "", 400, `"code":"invalid_argument"`},
		{"no JSON", r.http, bulkPath, jsonType, `{"context":`, "", 400, `"errorCode":"INVALID_CONTEXT"`},
		{"context of another type", eval, resolvePath, jsonType, `{"flagKey":"a","context":"b"}`, "", 400, `"code":"invalid_argument"`},
		{"context of another type", r.http, bulkPath, jsonType, `{"context":"b"}`, "", 400, `"errorCode":"INVALID_CONTEXT"`},
		{"unknown selector", eval, resolvePath, jsonType, good, "Flagd-Selector: x=y", 400, strings.ReplaceAll(wrongSelector, `"`, `\"`)},
		{"unknown selector", r.http, bulkPath, jsonType, `{}`, "Flagd-Selector: x=y", 400, strings.ReplaceAll(wrongSelector, `"`, `\"`)},
	} {
		code, text := send(t, h1, c.addr, c.path, c.contentType, c.body, c.header)
		if code != c.status || !strings.Contains(strings.ReplaceAll(text, `": `, `":`), c.says) {
			t.Errorf("%s at %s: %d %.300s, want %d %s", c.name, c.path, code, text, c.status, c.says)
		}
	}
	for _, c := range []struct{ addr, path string }{{eval, resolvePath}, {r.grpc, fetchAllPath}} {
		if code, text := send(t, h2, c.addr, c.path, "text/plain", good, ""); code != http.StatusUnsupportedMediaType {
			t.Errorf("text over HTTP/2 at %s: %d %.300s", c.path, code, text)
		}
	}
}

// send posts a body and returns what the answer says.
func send(t *testing.T, tr *http.Transport, addr, path, contentType, body, header string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+addr+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	if name, value, ok := strings.Cut(header, ": "); ok {
		req.Header.Set(name, value)
	}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Errorf("%s: %v", path, err)
		return 0, ""
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(resp.Body) // a part of it shows as well what is wrong
	return resp.StatusCode, string(text)
}

func badCalls(t *testing.T, r *router, eval string) {
	toEval, toSync := dial(t, eval), dial(t, r.grpc)
	large := wrapperspb.String(strings.Repeat("x", 40<<20)) // field 1 of both requests is a string
	for _, c := range []struct {
		name   string
		conn   *grpc.ClientConn
		method string
		in     proto.Message
		header []string
		code   codes.Code
		says   string
	}{
		{"unknown method", toEval, resolvePath + "s", &evalpb.ResolveBooleanRequest{}, nil, codes.Unimplemented, ""},
		{"unknown method", toSync, fetchAllPath + "s", &syncpb.FetchAllFlagsRequest{}, nil, codes.Unimplemented, ""},
		{"unknown service", toEval, "/flagd.sync.v9.X/Y", &evalpb.ResolveBooleanRequest{}, nil, codes.Unimplemented, ""},
		{"unknown service", toSync, "/flagd.sync.v9.X/Y", &syncpb.FetchAllFlagsRequest{}, nil, codes.Unimplemented, ""},
		{"large message", toEval, resolvePath, large, nil, codes.ResourceExhausted, ""},
		{"large message", toSync, fetchAllPath, large, nil, codes.ResourceExhausted, ""},
		{"no text", toEval, resolvePath, wrapperspb.Bytes([]byte("\xff")), nil, codes.InvalidArgument, ""},
		{"no text", toSync, fetchAllPath, wrapperspb.Bytes([]byte("\xff")), nil, codes.Internal, ""}, // grpc-go's word for it
		{"unknown selector", toEval, resolvePath, &evalpb.ResolveBooleanRequest{}, []string{"flagd-selector", "x=y"}, codes.InvalidArgument, wrongSelector},
		{"unknown selector", toSync, fetchAllPath, &syncpb.FetchAllFlagsRequest{Selector: "x=y"}, nil, codes.InvalidArgument, wrongSelector},
		{"nothing", toSync, fetchAllPath, &syncpb.FetchAllFlagsRequest{}, nil, codes.OK, ""}, // after all that, on the same connection
	} {
		ctx := metadata.AppendToOutgoingContext(t.Context(), c.header...)
		err := c.conn.Invoke(ctx, c.method, c.in, &syncpb.FetchAllFlagsResponse{})
		if got := status.Convert(err); got.Code() != c.code || !strings.Contains(got.Message(), c.says) {
			t.Errorf("%s at %s: %v, want %v %s", c.name, c.method, err, c.code, c.says)
		}
	}
}

func dial(t *testing.T, addr string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// regular is a client that does nothing wrong, by three protocols at once.
type regular struct {
	t      *testing.T
	r      *router
	stream syncpb.FlagSyncService_SyncFlagsClient
	end    context.CancelFunc
	asking sync.WaitGroup
	asked  int
}

func newRegular(t *testing.T, r *router, eval string) *regular {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	c := &regular{t: t, r: r, end: cancel}
	t.Cleanup(func() { c.stop() })
	stream, err := syncpb.NewFlagSyncServiceClient(dial(t, r.grpc)).SyncFlags(ctx, &syncpb.SyncFlagsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	c.stream = stream
	evaluation := dial(t, eval)
	tr := &http.Transport{}
	c.asking.Go(func() {
		defer tr.CloseIdleConnections()
		for ctx.Err() == nil {
			// Enough for a machine that is busy with something else, not for one that waits for strangers.
			limit, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			var answer evalpb.ResolveBooleanResponse
			if err := evaluation.Invoke(limit, resolvePath, &evalpb.ResolveBooleanRequest{FlagKey: "new-checkout"}, &answer); err != nil {
				t.Errorf("meanwhile, ResolveBoolean: %v", err)
			}
			cancel()
			if code, text := send(t, tr, r.http, bulkPath+"/new-checkout", jsonType, `{}`, ""); code != http.StatusOK {
				t.Errorf("meanwhile, OFREP: %d %s", code, text)
			}
			c.asked++
		}
	})
	return c
}

// seesChanges has the client receive a change that is made now.
func (c *regular) seesChanges() {
	c.t.Helper()
	want := c.r.cli().run("toggle", "new-checkout", "--reason", "among strangers")
	want = tokenIn(want)
	timeout := time.AfterFunc(30*time.Second, c.end)
	defer timeout.Stop()
	for {
		m, err := c.stream.Recv()
		if err != nil {
			c.t.Fatalf("the change %s did not arrive: %v", want, err)
		}
		if strings.Contains(m.GetFlagConfiguration(), fmt.Sprintf("%q", want)) {
			return
		}
	}
}

// stop ends the client and returns how often it asked.
func (c *regular) stop() int {
	c.end()
	c.asking.Wait()
	return c.asked
}

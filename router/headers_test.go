package router_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// TestHeadersTooLarge: a header of 1 MiB is refused on every port, whoever sends it, and
// others are served after, also on the same connection. (That gRPC's own client does not
// even send it is because the server tells its limit at the beginning of a connection.)
func TestHeadersTooLarge(t *testing.T) {
	g := guard(t)
	key := g.key(t, authz.Evaluator, "shop")
	large := strings.Repeat("x", 1<<20)
	for _, addr := range []string{g.http, g.eval} {
		if got := pushHeader(t, addr, large); got != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("HTTP on %s: status %d", addr, got)
		}
		if got := pushHeader(t, addr, "small"); got == 0 || got == http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("HTTP on %s, after that: status %d", addr, got)
		}
	}
	for name, c := range map[string]struct {
		addr, method string
		req, resp    any
	}{
		"gRPC":                 {g.grpc, healthpb.Health_Check_FullMethodName, &healthpb.HealthCheckRequest{}, &healthpb.HealthCheckResponse{}},
		"evaluation over gRPC": {g.eval, "/flagd.evaluation.v1.Service/ResolveAll", &evalpb.ResolveAllRequest{}, &evalpb.ResolveAllResponse{}},
	} {
		conn, err := grpc.NewClient(c.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		call := func(pad string) error {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			return conn.Invoke(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key, "x-pad", pad), c.method, c.req, c.resp)
		}
		for range 2 {
			if err := call("small"); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if code := status.Code(call(large)); code == codes.OK || code == codes.Unavailable || code == codes.DeadlineExceeded {
				t.Errorf("%s with 1 MiB of metadata: %s", name, code)
			}
		}
		if err := call("small"); err != nil {
			t.Errorf("%s, after that: %v", name, err)
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	}
}

// pushHeader sends a request with a header and returns the status of the answer. The
// answer may come, and the connection end, before all is sent.
func pushHeader(t *testing.T, addr, value string) int {
	t.Helper()
	conn, err := (&net.Dialer{Timeout: 20 * time.Second}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, "GET /api/v1/sets HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-Pad: "+value+"\r\n\r\n")
	}()
	defer func() {
		_ = conn.Close()
		<-sent
	}()
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Errorf("%s: %v", addr, err)
		return 0
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

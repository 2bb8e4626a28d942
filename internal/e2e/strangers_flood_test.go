package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	syncpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// fromElsewhere dials from another address of this machine than everybody else, as
// a stranger would: what one address may take is bounded.
var fromElsewhere = net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, Timeout: 20 * time.Second}

// beginnings are what a client says before it says no more. The last one has a whole
// HTTP/2 connection, and a request that stops after the length of its first frame.
var beginnings = []string{
	"",
	"POST " + bulkPath + " HTTP/1.1\r\nHost: localhost\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x3f\xff\x01\x04\x00\x00\x00\x01",
}

// silentConn is a connection on which no more is said.
type silentConn struct {
	net.Conn
	opened bool // it may stay longer: only its peer's silence will end it
}

// holdSilent opens 10,000 connections, or as many as this process may, says the
// beginning of something on each, and leaves it at that.
func holdSilent(t *testing.T, addrs ...string) []silentConn {
	t.Helper()
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	n := 10_000
	if most := int(min(files.Cur, 1<<20))*3/4 - 1000; most < n {
		n = max(most, 100)
		t.Logf("this process may have %d files: %d silent connections instead of 10,000", files.Cur, n)
	}
	conns := make([]silentConn, n)
	var dialing sync.WaitGroup
	const workers = 32
	for w := range workers {
		dialing.Go(func() {
			for i := w; i < n; i += workers {
				conn, err := fromElsewhere.DialContext(t.Context(), "tcp", addrs[i%len(addrs)])
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
				said := i / len(addrs) % len(beginnings)
				_, _ = io.WriteString(conn, beginnings[said]) // one too many is closed already
				conns[i] = silentConn{conn, said == len(beginnings)-1}
			}
		})
	}
	dialing.Wait()
	t.Cleanup(func() {
		for _, c := range conns {
			if c.Conn != nil {
				_ = c.Close()
			}
		}
	})
	return conns
}

// waitClosed waits until the router has had enough of those that never finished to
// introduce themselves.
func waitClosed(t *testing.T, conns []silentConn) {
	t.Helper()
	end := time.Now().Add(60 * time.Second)
	for i, c := range conns {
		if c.Conn == nil || c.opened {
			continue
		}
		_ = c.SetReadDeadline(end)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is still open", i)
		}
	}
}

const textSize = 300 << 10

// fillWithText adds a flag of many bytes to the default set, so that what is not read is
// more than the buffers of a connection take.
func fillWithText(t *testing.T, r *router) { writeText(t, r, 0) }

func writeText(t *testing.T, r *router, n int) {
	t.Helper()
	st, err := grpcstore.Open("grpc://"+r.grpc, &grpcstore.Options{HeadTimeout: patience, WriteTimeout: patience})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	_, err = st.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Changes: []flags.Mutation{{
		Key:   flags.FlagKey("text"),
		Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":"%d %s"}}`, n, strings.Repeat("x", textSize)),
	}}})
	if err != nil {
		t.Fatal(err)
	}
}

// neverRead has clients ask for more than they will ever read, by each protocol, while
// what they asked for changes.
func neverRead(t *testing.T, r *router, eval string) {
	const clients, requests, changes = 20, 500, 20
	bulk := strings.Repeat("POST "+bulkPath+" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}", requests)
	events := "POST /flagd.evaluation.v2.Service/EventStream HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/connect+json\r\nContent-Length: 7\r\n\r\n\x00\x00\x00\x00\x02{}"
	for range clients {
		for _, c := range []struct{ addr, says string }{{r.http, bulk}, {r.http, "GET /ofrep/v1/sse HTTP/1.1\r\nHost: localhost\r\n\r\n"}, {eval, events}} {
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", c.addr)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = conn.Close() })
			_ = conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			_ = conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond)) // or this client would wait too
			_, _ = io.WriteString(conn, c.says)
		}
		if _, err := syncpb.NewFlagSyncServiceClient(dial(t, r.grpc)).SyncFlags(t.Context(), &syncpb.SyncFlagsRequest{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range changes {
		writeText(t, r, i)
	}
}

// heldBy returns the memory that the router uses, in MiB, garbage and all.
func heldBy(t *testing.T, r *router) float64 {
	t.Helper()
	return (metric(t, r, "go_memstats_heap_inuse_bytes") + metric(t, r, "go_memstats_stack_inuse_bytes")) / (1 << 20)
}

// metric returns a figure of the router's own.
func metric(t *testing.T, r *router, name string) float64 {
	t.Helper()
	text, err := get(t.Context(), "http://"+r.ops+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	t.Fatalf("no metric %s", name)
	return 0
}

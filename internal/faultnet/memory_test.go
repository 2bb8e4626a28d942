package faultnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

// memory runs test in virtual time with a connection to an echo server in memory.
func memory(t *testing.T, test func(*testing.T, *faultnet.Proxy, net.Conn)) {
	synctest.Test(t, func(t *testing.T) {
		p := faultnet.Wrap(func(context.Context) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go copyBack(theirs)
			return ours, nil
		})
		conn, err := p.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		test(t, p, conn)
		_ = conn.Close()
		_ = p.Close()
	})
}

func TestMemoryDelayIsExact(t *testing.T) {
	memory(t, func(t *testing.T, p *faultnet.Proxy, conn net.Conn) {
		set(t, p, faultnet.Faults{
			Up:   faultnet.Path{Delay: 200 * time.Millisecond},
			Down: faultnet.Path{Delay: 100 * time.Millisecond},
		})
		start := time.Now()
		wantEcho(t, conn, "hello")
		if took := time.Since(start); took != 300*time.Millisecond {
			t.Errorf("took %v, want 300ms", took)
		}
	})
}

// A delay is latency: a hundred messages sent at once arrive together.
func TestMemoryDelayKeepsThroughput(t *testing.T) {
	memory(t, func(t *testing.T, p *faultnet.Proxy, conn net.Conn) {
		set(t, p, faultnet.Faults{Down: faultnet.Path{Delay: time.Second, Jitter: 100 * time.Millisecond}})
		start := time.Now()
		go func() {
			for range 50 {
				_, _ = io.WriteString(conn, "0123456789")
			}
		}()
		buf := make([]byte, 500)
		if _, err := io.ReadFull(conn, buf); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took < time.Second || took > 1100*time.Millisecond {
			t.Errorf("took %v, want 1s to 1.1s", took)
		}
		for i, c := range buf {
			if want := byte('0' + i%10); c != want {
				t.Fatalf("byte %d is %q, want %q: order lost", i, c, want)
			}
		}
	})
}

func TestMemoryModes(t *testing.T) {
	memory(t, func(t *testing.T, p *faultnet.Proxy, conn net.Conn) {
		wantEcho(t, conn, "hello")
		set(t, p, faultnet.Faults{Mode: faultnet.Hang})
		if got, err := say(conn, "later"); got != "" || err == nil {
			t.Errorf("heard %q, %v while hanging", got, err)
		}
		set(t, p, faultnet.Faults{Mode: faultnet.Refuse})
		if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("got %v, want a reset", err)
		}
		if _, err := p.Dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want refused", err)
		}
		set(t, p, faultnet.Faults{})
		again, err := p.Dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wantEcho(t, again, "hello")
		if got := p.Stats().Dials; got != 3 {
			t.Errorf("%d dials, want 3, the refused one included", got)
		}
	})
}

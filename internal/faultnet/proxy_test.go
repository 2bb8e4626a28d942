package faultnet_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
)

// echo serves ln until it is closed: each connection gets back what it sends.
func echo(t *testing.T) (addr string) {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { copyBack(conn) })
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })
	return ln.Addr().String()
}

func copyBack(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		if _, werr := conn.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

func listen(t *testing.T) *faultnet.Proxy {
	t.Helper()
	p, err := faultnet.Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func set(t *testing.T, p *faultnet.Proxy, f faultnet.Faults) {
	t.Helper()
	if err := p.Set(f); err != nil {
		t.Fatal(err)
	}
}

func dial(t *testing.T, p *faultnet.Proxy) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends text and returns what came back before the connection ended or 5 s passed.
func say(conn net.Conn, text string) (string, error) {
	if _, err := io.WriteString(conn, text); err != nil {
		return "", err
	}
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buf := make([]byte, len(text))
	n, err := io.ReadFull(conn, buf)
	return string(buf[:n]), err
}

func wantEcho(t *testing.T, conn net.Conn, text string) {
	t.Helper()
	if got, err := say(conn, text); got != text || err != nil {
		t.Fatalf("said %q, heard %q, %v", text, got, err)
	}
}

// wantSilence checks that nothing is heard for 50 ms of a connection that stays open.
func wantSilence(t *testing.T, conn net.Conn) {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("heard %d bytes, %v, want silence", n, err)
	}
	_ = conn.SetReadDeadline(time.Time{})
}

func TestPassAndCount(t *testing.T) {
	p := listen(t)
	a, b := dial(t, p), dial(t, p)
	wantEcho(t, a, "hello")
	wantEcho(t, b, "world!")
	if got, want := p.Stats(), (faultnet.Stats{Dials: 2, Up: 11, Down: 11}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestHalfClosePassesOn(t *testing.T) {
	conn := dial(t, listen(t))
	if _, err := io.WriteString(conn, "last words"); err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(conn); string(got) != "last words" || err != nil {
		t.Errorf("heard %q, %v", got, err)
	}
}

func TestRefuseAndComeBack(t *testing.T) {
	p := listen(t)
	old, addr := dial(t, p), p.Addr()
	wantEcho(t, old, "hello")
	set(t, p, faultnet.Faults{Mode: faultnet.Refuse})
	if _, err := say(old, "hello"); err == nil {
		t.Error("an established connection survived")
	}
	if _, err := new(net.Dialer).DialContext(t.Context(), "tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want refused", err)
	}
	set(t, p, faultnet.Faults{})
	if p.Addr() != addr {
		t.Errorf("address changed from %s to %s", addr, p.Addr())
	}
	wantEcho(t, dial(t, p), "hello")
}

func TestHangAndGoOn(t *testing.T) {
	p := listen(t)
	old := dial(t, p)
	wantEcho(t, old, "hello")
	set(t, p, faultnet.Faults{Mode: faultnet.Hang})
	young := dial(t, p)
	for _, conn := range []net.Conn{old, young} {
		if _, err := io.WriteString(conn, "anyone?"); err != nil {
			t.Fatal(err)
		}
		wantSilence(t, conn)
	}
	set(t, p, faultnet.Faults{})
	for _, conn := range []net.Conn{old, young} {
		buf := make([]byte, 7)
		if _, err := io.ReadFull(conn, buf); string(buf) != "anyone?" || err != nil {
			t.Errorf("heard %q, %v after the hang", buf, err)
		}
	}
}

func TestReset(t *testing.T) {
	p := listen(t)
	old := dial(t, p)
	wantEcho(t, old, "hello")
	set(t, p, faultnet.Faults{Mode: faultnet.Reset})
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("established: got %v, want a reset", err)
	}
	// The kernel accepts before the proxy does, so the reset may overtake the
	// dialer's last look at its socket and become the error of the dial itself.
	young, err := new(net.Dialer).DialContext(t.Context(), "tcp", p.Addr())
	if err == nil {
		t.Cleanup(func() { _ = young.Close() })
		_, err = young.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("new: got %v, want a reset", err)
	}
	if got := p.Stats().Dials; got != 2 {
		t.Errorf("%d dials, want 2", got)
	}
}

func TestCutAtEveryByte(t *testing.T) {
	const text = "one checkpoint"
	p := listen(t)
	for n := 1; n <= len(text); n++ {
		set(t, p, faultnet.Faults{Down: faultnet.Path{CutAfter: int64(n)}})
		if got, err := say(dial(t, p), text); got != text[:n] || n < len(text) && err == nil {
			t.Errorf("cut after %d: heard %q, %v", n, got, err)
		}
	}
	set(t, p, faultnet.Faults{Up: faultnet.Path{CutAfter: 3}})
	before := p.Stats()
	if _, err := say(dial(t, p), text); err == nil {
		t.Error("a cut on the way up left the connection whole")
	}
	if up := p.Stats().Up - before.Up; up != 3 {
		t.Errorf("%d bytes went up, want 3", up)
	}
}

func TestDropOneDirection(t *testing.T) {
	p := listen(t)
	conn := dial(t, p)
	wantEcho(t, conn, "hello")
	set(t, p, faultnet.Faults{Down: faultnet.Path{Drop: true}})
	if _, err := io.WriteString(conn, "lost"); err != nil {
		t.Fatal(err)
	}
	wantSilence(t, conn)
	if got := p.Stats(); got.Up != 9 || got.Down != 5 {
		t.Errorf("got %+v, want 9 up and 5 down", got)
	}
	set(t, p, faultnet.Faults{})
	wantEcho(t, conn, "hello")
}

func TestDeadTargetResets(t *testing.T) {
	gone := errors.New("no such server")
	p := faultnet.Wrap(func(context.Context) (net.Conn, error) { return nil, gone })
	defer func() { _ = p.Close() }()
	conn, err := p.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	p, err := faultnet.Listen(echo(t))
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, p)
	wantEcho(t, conn, "hello")
	set(t, p, faultnet.Faults{Mode: faultnet.Hang, Down: faultnet.Path{Delay: time.Hour}})
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := say(conn, "hello"); err == nil {
		t.Error("a connection outlived the proxy")
	}
	if err := p.Set(faultnet.Faults{}); err == nil {
		t.Error("a closed proxy can be set")
	}
}

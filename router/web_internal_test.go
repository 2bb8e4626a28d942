package router

import (
	"net"
	"testing"
)

// TestLimitPerAddress: an address at its limit is turned away until it leaves.
func TestLimitPerAddress(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	lis := limitPerAddress(inner, 2)
	defer lis.Close()
	dial := func() net.Conn {
		t.Helper()
		conn, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	accept := func() net.Conn {
		t.Helper()
		conn, err := lis.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	dial()
	dial()
	first, _ := accept(), accept()
	turnedAway := dial()
	accepted := make(chan net.Conn, 1)
	go func() {
		if conn, err := lis.Accept(); err == nil {
			accepted <- conn
		}
	}()
	if _, err := turnedAway.Read(make([]byte, 1)); err == nil {
		t.Error("the third connection was served")
	}
	for range 2 {
		_ = first.Close() // counts once
	}
	dial()
	defer (<-accepted).Close()
	again := dial()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = lis.Accept() // ends with the listener
	}()
	if _, err := again.Read(make([]byte, 1)); err == nil {
		t.Error("a place was freed twice")
	}
	_ = lis.Close()
	<-over
}

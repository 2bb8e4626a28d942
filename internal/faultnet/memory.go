package faultnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync/atomic"
	"syscall"
)

// Dial connects to the server through the proxy without a socket. Refused and reset connections give the errors that
// TCP gives. A write returns when the proxy has taken the bytes.
func (p *Proxy) Dial(ctx context.Context) (net.Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p.dials.Add(1)
	if f, _ := p.current(); f.Mode == Refuse {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	outer, inner := net.Pipe()
	wasReset := new(atomic.Bool)
	p.start(&memoryConn{Conn: inner, reset: wasReset})
	return &memoryConn{Conn: outer, reset: wasReset}, nil
}

// memoryConn is one end of a net.Pipe whose reading and writing fail like a reset TCP connection after resetPeer.
type memoryConn struct {
	net.Conn
	reset *atomic.Bool // shared by both ends
}

func (c *memoryConn) resetPeer() { c.reset.Store(true) }

// Read reads from the pipe.
func (c *memoryConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	return n, c.translate("read", err)
}

// Write writes to the pipe.
func (c *memoryConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	return n, c.translate("write", err)
}

func (c *memoryConn) translate(op string, err error) error {
	if c.reset.Load() && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)) {
		return &net.OpError{Op: op, Net: "tcp", Err: os.NewSyscallError(op, syscall.ECONNRESET)}
	}
	return err
}

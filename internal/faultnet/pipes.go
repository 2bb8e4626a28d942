package faultnet

import (
	"context"
	"net"
	"sync"
)

// Pipes is a listener whose connections are net.Pipes. Their deadlines are exact, which bufconn's are not and
// net/http's server relies on: it ends its watch over a connection by a deadline in the past.
type Pipes struct {
	conns chan net.Conn
	done  chan struct{}
	close func()
}

// NewPipes returns a listener in memory.
func NewPipes() *Pipes {
	p := &Pipes{conns: make(chan net.Conn), done: make(chan struct{})}
	p.close = sync.OnceFunc(func() { close(p.done) })
	return p
}

// DialContext connects. It waits for Accept until ctx ends.
func (p *Pipes) DialContext(ctx context.Context) (net.Conn, error) {
	outer, inner := net.Pipe()
	select {
	case p.conns <- inner:
		return outer, nil
	case <-p.done:
		return nil, &net.OpError{Op: "dial", Net: "pipe", Err: net.ErrClosed}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the next connection.
func (p *Pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.done:
		return nil, &net.OpError{Op: "accept", Net: "pipe", Err: net.ErrClosed}
	}
}

// Close ends listening; connections stay.
func (p *Pipes) Close() error {
	p.close()
	return nil
}

// Addr returns the address of a pipe.
func (p *Pipes) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "pipe" }

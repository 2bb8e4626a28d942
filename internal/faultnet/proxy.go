// Package faultnet breaks network connections on purpose. A [Proxy] stands between a client and its server and, while
// both run, refuses, hangs, resets, cuts, delays or swallows what passes, and counts it.
//
// There are two forms with the same faults. [Listen] is real TCP on loopback: refused connections and resets are the
// kernel's own. [Wrap] has no socket: clients call [Proxy.Dial] and get an in-memory connection, so a whole scenario
// can run in virtual time inside a testing/synctest bubble, in front of a bufconn or net.Pipe server.
package faultnet

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Mode is what happens to connections as a whole.
type Mode uint8

// The modes. Refuse and Reset also end the connections that exist.
const (
	Pass   Mode = iota
	Refuse      // as after kill -9: nobody listens. The port is kept for later
	Hang        // as with a stopped process: connections are accepted, and then nothing moves
	Reset       // connections are accepted and reset at once
)

// Faults is the whole behaviour of a proxy; the zero value passes everything on unchanged.
type Faults struct {
	Mode Mode
	Up   Path // client to server
	Down Path // server to client
}

// Path is what happens to the bytes of one direction of each connection.
type Path struct {
	Delay    time.Duration // added to the time every byte takes; throughput stays
	Jitter   time.Duration // random time of at most this much on top; order is kept
	CutAfter int64         // ends the connection when this many of its bytes have passed; 0 for never
	Drop     bool          // swallows the bytes: the sender sees a healthy connection, the receiver silence
}

// Stats counts since the proxy was made. Bytes are those that were passed on.
type Stats struct {
	Dials int64 // connections that reached the proxy; those that the kernel refused cannot be seen
	Up    int64
	Down  int64
}

// Proxy forwards connections to one server. All methods are safe for concurrent use.
type Proxy struct {
	dial func(context.Context) (net.Conn, error)
	addr string // of the TCP form

	mu      sync.Mutex
	faults  Faults
	changed chan struct{} // closed and replaced by each Set
	ln      net.Listener  // nil while refusing, and in the memory form
	links   map[*link]struct{}
	closed  bool

	running         sync.WaitGroup
	dials, up, down atomic.Int64
}

// Listen returns a proxy in front of the TCP address target, listening on a free loopback port.
func Listen(target string) (*Proxy, error) {
	p := Wrap(func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", target)
	})
	p.addr = "127.0.0.1:0"
	if err := p.listen(); err != nil {
		return nil, err
	}
	p.addr = p.ln.Addr().String()
	return p, nil
}

// Wrap returns a proxy without a socket in front of the server that dial reaches. Use [Proxy.Dial] to connect.
func Wrap(dial func(context.Context) (net.Conn, error)) *Proxy {
	return &Proxy{dial: dial, changed: make(chan struct{}), links: map[*link]struct{}{}}
}

// Addr returns the host and port to connect to. It stays the same for the life of the proxy.
func (p *Proxy) Addr() string { return p.addr }

// Stats returns the counts so far.
func (p *Proxy) Stats() Stats {
	return Stats{Dials: p.dials.Load(), Up: p.up.Load(), Down: p.down.Load()}
}

// Set replaces the faults, for existing connections too. Bytes that a connection holds back are passed on or dealt
// with by the new faults. It fails only if the port cannot be opened again after Refuse, or after Close.
func (p *Proxy) Set(f Faults) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errClosed
	}
	p.faults = f
	close(p.changed)
	p.changed = make(chan struct{})
	if f.Mode == Refuse || f.Mode == Reset {
		p.killAll()
	}
	switch {
	case p.addr == "":
		return nil
	case f.Mode == Refuse && p.ln != nil:
		err := p.ln.Close()
		p.ln = nil
		return err
	case f.Mode != Refuse && p.ln == nil:
		return p.listen()
	}
	return nil
}

// Close ends every connection and waits until all goroutines of the proxy have ended.
func (p *Proxy) Close() error {
	p.mu.Lock()
	var err error
	if p.ln != nil {
		err = p.ln.Close()
		p.ln = nil
	}
	p.closed = true
	p.killAll()
	p.mu.Unlock()
	p.running.Wait()
	return err
}

var errClosed = errors.New("faultnet: proxy closed")

// listen opens p.addr and accepts in the background. The caller holds mu, or is alone with p.
func (p *Proxy) listen() error {
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", p.addr)
	if err != nil {
		return err
	}
	p.ln = ln
	p.running.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			p.dials.Add(1)
			p.start(conn)
		}
	})
	return nil
}

// start forwards client in the background, or resets it if it may not exist.
func (p *Proxy) start(client net.Conn) {
	l := &link{p: p, dead: make(chan struct{}), conns: []net.Conn{client}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.faults.Mode == Refuse || p.faults.Mode == Reset {
		l.kill()
		return
	}
	p.links[l] = struct{}{}
	p.running.Go(func() {
		l.run(client)
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, l)
	})
}

func (p *Proxy) killAll() {
	for l := range p.links {
		l.kill()
	}
}

// current returns the faults, and a channel that is closed when they change.
func (p *Proxy) current() (Faults, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}

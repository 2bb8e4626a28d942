package faultnet

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one forwarded connection.
type link struct {
	p    *Proxy
	dead chan struct{} // closed by end

	mu    sync.Mutex
	conns []net.Conn // the client's and, once dialled, the server's; nil when dead
}

// kill ends the link with a reset on both sides.
func (l *link) kill() { l.end(reset) }

// end closes the link's connections with closeConn. Only the first call counts.
func (l *link) end(closeConn func(net.Conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		return
	}
	for _, conn := range l.conns {
		closeConn(conn)
	}
	l.conns = nil
	close(l.dead)
}

func reset(conn net.Conn) {
	switch c := conn.(type) {
	case *net.TCPConn:
		_ = c.SetLinger(0) // makes Close send RST instead of FIN
	case *memoryConn:
		c.resetPeer()
	}
	shut(conn)
}

func shut(conn net.Conn) { _ = conn.Close() }

// adopt adds the server's connection, or closes it and returns false if the link is dead by now.
func (l *link) adopt(server net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conns == nil {
		shut(server)
		return false
	}
	l.conns = append(l.conns, server)
	return true
}

// run forwards until both directions have ended.
func (l *link) run(client net.Conn) {
	defer l.kill()
	if !l.flowing() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	server, err := l.p.dial(ctx)
	cancel()
	if err != nil || !l.adopt(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { l.forward(client, server, &l.p.up, func(f Faults) Path { return f.Up }) })
	both.Go(func() { l.forward(server, client, &l.p.down, func(f Faults) Path { return f.Down }) })
	both.Wait()
	l.end(shut)
}

// flowing waits while the proxy hangs. It returns false if the link dies meanwhile.
func (l *link) flowing() bool {
	for {
		f, changed := l.p.current()
		if f.Mode != Hang {
			return true
		}
		select {
		case <-l.dead:
			return false
		case <-changed:
		}
	}
}

// chunk is what one read returned, and when it is to be passed on.
type chunk struct {
	data []byte
	due  time.Time
}

// forward passes bytes from src to dst. Reading goes on while earlier chunks are delayed, so a delay is latency and
// not a limit on throughput.
func (l *link) forward(src, dst net.Conn, count *atomic.Int64, path func(Faults) Path) {
	queue := make(chan chunk, 64)
	l.p.running.Go(func() { l.read(src, queue, path) })
	var passed int64
	for c := range queue {
		if !l.until(c.due) || !l.flowing() {
			return
		}
		faults, _ := l.p.current()
		f := path(faults)
		if f.Drop {
			continue
		}
		data, cut := c.data, false
		if f.CutAfter > 0 && passed+int64(len(data)) >= f.CutAfter {
			data, cut = data[:max(0, f.CutAfter-passed)], true
		}
		count.Add(int64(len(data))) // first: whoever has heard them finds them counted
		n, err := dst.Write(data)
		passed += int64(n)
		count.Add(int64(n - len(data)))
		switch {
		case err != nil:
			l.kill()
			return
		case cut:
			l.end(shut) // not a reset, which could overtake the last bytes
			return
		}
	}
	closeWrite(dst)
}

// read fills queue until src ends. Any other end than EOF is a reset, and ends both directions.
func (l *link) read(src net.Conn, queue chan<- chunk, path func(Faults) Path) {
	defer close(queue)
	var last time.Time
	for {
		buf := make([]byte, 16<<10)
		n, err := src.Read(buf)
		if n > 0 {
			faults, _ := l.p.current()
			if due := time.Now().Add(path(faults).latency()); due.After(last) {
				last = due
			}
			select {
			case queue <- chunk{buf[:n], last}:
			case <-l.dead:
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				l.kill()
			}
			return
		}
	}
}

func (f Path) latency() time.Duration {
	return f.Delay + time.Duration(rand.Float64()*float64(f.Jitter))
}

// until waits for due. It returns false if the link dies before.
func (l *link) until(due time.Time) bool {
	wait := time.Until(due)
	if wait <= 0 {
		return true
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.dead:
		return false
	}
}

// closeWrite passes on the end of one direction; without half-close that is the end of both.
func closeWrite(conn net.Conn) {
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		return
	}
	shut(conn)
}

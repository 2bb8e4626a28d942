package grpcstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/credentials"
)

// lastCause keeps why the last attempt to connect failed, as the error it was:
// gRPC hands it on as text only.
type lastCause struct {
	err    atomic.Pointer[error]
	failed atomic.Pointer[context.CancelFunc] // told of the next failure; nil: nobody waits
}

func (l *lastCause) load() error {
	if p := l.err.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *lastCause) store(err error) {
	if err == nil {
		l.err.Store(nil)
		return
	}
	l.err.Store(&err)
	if told := l.failed.Swap(nil); told != nil {
		(*told)()
	}
}

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// dialer notes why dialling fails. With a handshake to follow, only that one's
// success ends the trouble: in between, calls fail for the old reason.
func (l *lastCause) dialer(dial dialFunc, secure bool) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, address string) (net.Conn, error) {
		conn, err := dial(ctx, "tcp", address)
		if err != nil || !secure {
			l.store(err)
		}
		return conn, err
	}
}

// watchedTLS notes why handshakes fail.
type watchedTLS struct {
	credentials.TransportCredentials
	current func() *tls.Config // asked for each handshake; nil: it is always the same
	cause   *lastCause
}

func (w *watchedTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	creds := w.TransportCredentials
	if w.current != nil {
		config := w.current()
		creds, authority = credentials.NewTLS(config), cmp.Or(config.ServerName, authority)
	}
	conn, info, err := creds.ClientHandshake(ctx, authority, raw)
	w.cause.store(err)
	if err != nil {
		return nil, nil, err
	}
	return &alertedConn{Conn: conn, cause: w.cause}, info, nil
}

func (w *watchedTLS) Clone() credentials.TransportCredentials {
	return &watchedTLS{w.TransportCredentials.Clone(), w.current, w.cause}
}

// alertedConn notes what the other end says against our certificate. In TLS 1.3 that
// comes after the handshake, which is over on this side by then, and gRPC may find only
// that its writing fails.
type alertedConn struct {
	net.Conn
	cause *lastCause
}

func (c *alertedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.note(err)
	return n, err
}

func (c *alertedConn) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		const arrived = 10 * time.Millisecond // what is to be read is here already
		_ = c.SetReadDeadline(time.Now().Add(arrived))
		_, said := c.Conn.Read(make([]byte, 1)) // the connection is lost, so that no data is
		c.note(said)
	}
	return n, err
}

func (c *alertedConn) note(err error) {
	var alert *net.OpError
	if errors.As(err, &alert) && alert.Op == "remote error" {
		c.cause.store(err)
	}
}

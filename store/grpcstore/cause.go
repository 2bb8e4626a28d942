package grpcstore

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

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
		creds = credentials.NewTLS(w.current())
	}
	conn, info, err := creds.ClientHandshake(ctx, authority, raw)
	w.cause.store(err)
	return conn, info, err
}

func (w *watchedTLS) Clone() credentials.TransportCredentials {
	return &watchedTLS{w.TransportCredentials.Clone(), w.current, w.cause}
}

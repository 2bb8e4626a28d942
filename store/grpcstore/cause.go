package grpcstore

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
)

// lastCause keeps why the last attempt to connect failed, as the error it was:
// gRPC hands it on as text only.
type lastCause struct{ err atomic.Pointer[error] }

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
	cause *lastCause
}

func (w *watchedTLS) ClientHandshake(ctx context.Context, authority string, raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := w.TransportCredentials.ClientHandshake(ctx, authority, raw)
	w.cause.store(err)
	return conn, info, err
}

func (w *watchedTLS) Clone() credentials.TransportCredentials {
	return &watchedTLS{w.TransportCredentials.Clone(), w.cause}
}

// badCertificate reports whether err is a mistake in somebody's configuration
// of TLS. A certificate that has expired is not: that is the usual real outage,
// and it ends when the router gets a new one.
func badCertificate(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	const alertBadCertificate = 42 // RFC 8446, 6
	switch {
	case errors.As(err, &invalid):
		return invalid.Reason != x509.Expired
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &record):
		return true
	case errors.As(err, &alert):
		return alert == alertBadCertificate
	default:
		return false
	}
}

package grpcstore_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// answering serves every method by ending it with err.
func answering(t *testing.T, err error, opts ...grpc.ServerOption) *bufconn.Listener {
	t.Helper()
	lis := bufconn.Listen(1 << 16)
	server := grpc.NewServer(append(opts, grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error { return err }))...)
	go func() { _ = server.Serve(lis) }() // ends with Stop
	t.Cleanup(server.Stop)
	return lis
}

// each is every way into the store that asks the router.
func each(t *testing.T, s *grpcstore.Store, check func(t *testing.T, err error)) {
	t.Helper()
	commit := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for name, call := range map[string]func(context.Context) error{
		"head":    func(ctx context.Context) error { _, err := s.Head(ctx, "shop"); return err },
		"fetch":   func(ctx context.Context) error { _, err := s.Fetch(ctx, "shop", flags.Head{}); return err },
		"watch":   func(ctx context.Context) error { _, err := s.Watch(ctx, "shop", flags.Head{}); return err },
		"apply":   func(ctx context.Context) error { _, err := s.Apply(ctx, commit); return err },
		"sets":    func(ctx context.Context) error { _, err := s.Sets(ctx); return err },
		"clients": func(ctx context.Context) error { _, err := s.Clients(ctx, ""); return err },
		"status":  func(ctx context.Context) error { _, err := s.Status(ctx); return err },
		"commits": func(ctx context.Context) error {
			_, err := s.Commits(ctx, "shop", flags.Version{}, flags.Version{Revision: 1}, 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			err := call(t.Context())
			var se *flags.SourceError
			if !errors.As(err, &se) {
				t.Fatalf("error %v (%T), want a *flags.SourceError", err, err)
			}
			check(t, err)
		})
	}
}

func wantClass(t *testing.T, err error, want flags.Class) {
	t.Helper()
	if got := flags.ClassOf(err); got != want {
		t.Errorf("class %s of %v, want %s", got, err, want)
	}
}

// TestCodes is the table of what the router's bare codes mean.
func TestCodes(t *testing.T) {
	for code, want := range map[codes.Code]flags.Class{
		codes.Canceled:           flags.ClassTransient, // a reset by the router or a proxy: nobody here gave up
		codes.Unknown:            flags.ClassTransient,
		codes.InvalidArgument:    flags.ClassPermanent,
		codes.DeadlineExceeded:   flags.ClassTransient,
		codes.NotFound:           flags.ClassNotFound,
		codes.AlreadyExists:      flags.ClassPermanent,
		codes.PermissionDenied:   flags.ClassDenied,
		codes.ResourceExhausted:  flags.ClassTransient,
		codes.FailedPrecondition: flags.ClassPermanent,
		codes.Aborted:            flags.ClassTransient,
		codes.OutOfRange:         flags.ClassPermanent,
		codes.Unimplemented:      flags.ClassTransient, // a wrong route or an old router serves nobody
		codes.Internal:           flags.ClassTransient,
		codes.Unavailable:        flags.ClassTransient,
		codes.DataLoss:           flags.ClassTransient,
		codes.Unauthenticated:    flags.ClassDenied,
	} {
		t.Run(code.String(), func(t *testing.T) {
			s := dial(t, answering(t, status.Error(code, "because")), grpcstore.Options{})
			each(t, s, func(t *testing.T, err error) {
				wantClass(t, err, want)
				if (code == codes.NotFound) != errors.Is(err, store.ErrNotFound) {
					t.Errorf("errors.Is(ErrNotFound) is wrong for %v", err)
				}
			})
		})
	}
	t.Run("message over the limit", func(t *testing.T) {
		s := dial(t, answering(t, status.Error(codes.ResourceExhausted, "grpc: received message larger than max (2 vs. 1)")), grpcstore.Options{})
		each(t, s, func(t *testing.T, err error) { wantClass(t, err, flags.ClassPermanent) })
	})
	t.Run("end without an answer", func(t *testing.T) {
		s := dial(t, answering(t, nil), grpcstore.Options{})
		_, err := s.Watch(t.Context(), "shop", flags.Head{})
		wantClass(t, err, flags.ClassTransient)
		_, err = s.Fetch(t.Context(), "shop", flags.Head{})
		wantClass(t, err, flags.ClassTransient)
	})
}

// TestSentinels checks that errors of the router's store are what they were.
func TestSentinels(t *testing.T) {
	key := flags.FlagKey("a")
	conflict := &store.ConflictError{
		Token: flags.Token{Set: "shop", Version: flags.Version{Epoch: 1, Revision: 9}, Lineage: "abcdefgh"}, Key: &key, Want: 3, Have: 7,
	}
	for _, c := range []struct {
		err  error
		want []error
	}{
		{store.ErrNotFound, nil},
		{store.ErrExists, nil},
		{conflict, []error{store.ErrConflict}},
		{&store.ConflictError{Token: conflict.Token, Want: 2, Have: 9}, []error{store.ErrConflict}},
		{store.ErrEnded, nil},
		{fmt.Errorf("%w: %w", store.ErrInvalid, flags.ErrInvalid), []error{store.ErrInvalid, flags.ErrInvalid}},
		{store.ErrReadOnly, nil},
		{store.ErrCompacted, nil},
		{flags.ErrTooLarge, nil},
	} {
		t.Run(c.err.Error(), func(t *testing.T) {
			there := store.Classify("memstore: apply shop", c.err)
			s := dial(t, answering(t, wire.FromError(there)), grpcstore.Options{})
			each(t, s, func(t *testing.T, err error) {
				wantClass(t, err, flags.ClassOf(there))
				if c.want == nil {
					c.want = []error{c.err}
				}
				for _, want := range c.want {
					if !errors.Is(err, want) {
						t.Errorf("%v does not match %v", err, want)
					}
				}
				var got *store.ConflictError
				if want := new(store.ConflictError); errors.As(c.err, &want) && (!errors.As(err, &got) || got.Error() != want.Error()) {
					t.Errorf("conflict came back as %v, want %v", got, want)
				}
				if strings.Contains(err.Error(), "\n") {
					t.Errorf("error takes more than one line: %q", err)
				}
			})
		})
	}
	t.Run("its closing is not ours", func(t *testing.T) {
		there := store.Classify("boltstore: apply shop", store.ErrClosed)
		s := dial(t, answering(t, wire.FromError(there)), grpcstore.Options{})
		each(t, s, func(t *testing.T, err error) {
			wantClass(t, err, flags.ClassTransient)
			if errors.Is(err, store.ErrClosed) {
				t.Errorf("%v claims that this end was closed", err)
			}
		})
	})
}

// TestDialling is the table of what keeps a connection from being made.
func TestDialling(t *testing.T) {
	opErr := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		name string
		err  error
		want flags.Class
	}{
		{"refused", opErr(syscall.ECONNREFUSED), flags.ClassTransient},
		{"reset", opErr(syscall.ECONNRESET), flags.ClassTransient},
		{"aborted", opErr(syscall.ECONNABORTED), flags.ClassTransient},
		{"pipe", opErr(syscall.EPIPE), flags.ClassTransient},
		{"timed out", opErr(syscall.ETIMEDOUT), flags.ClassTransient},
		{"host unreachable", opErr(syscall.EHOSTUNREACH), flags.ClassTransient},
		{"net unreachable", opErr(syscall.ENETUNREACH), flags.ClassTransient},
		{"host down", opErr(syscall.EHOSTDOWN), flags.ClassTransient},
		{"eof", io.EOF, flags.ClassTransient},
		{"unexpected eof", io.ErrUnexpectedEOF, flags.ClassTransient},
		{"deadline", os.ErrDeadlineExceeded, flags.ClassTransient},
		{"no such name", &net.DNSError{Err: "no such host", Name: "router", IsNotFound: true}, flags.ClassTransient},
		{"name server slow", &net.DNSError{Err: "timeout", Name: "router", IsTimeout: true}, flags.ClassTransient},
		{"unheard of", errors.New("something new"), flags.ClassTransient},
		{"files of the process", opErr(syscall.EMFILE), flags.ClassPermanent},
		{"files of the machine", opErr(syscall.ENFILE), flags.ClassPermanent},
		{"buffers", opErr(syscall.ENOBUFS), flags.ClassPermanent},
		{"ports", opErr(syscall.EADDRNOTAVAIL), flags.ClassPermanent},
		{"memory", opErr(syscall.ENOMEM), flags.ClassPermanent},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := grpcstore.Open("grpc://router:8015", &grpcstore.Options{
				Dial: func(context.Context, string) (net.Conn, error) { return nil, c.err },
			})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			each(t, s, func(t *testing.T, err error) {
				wantClass(t, err, c.want)
				if !errors.Is(err, c.err) {
					t.Errorf("%v does not wrap its cause %v", err, c.err)
				}
				if n := strings.Count(err.Error(), c.err.Error()); n != 1 {
					t.Errorf("%v tells its cause %d times", err, n)
				}
			})
		})
	}
}

// certificate returns a server's certificate signed by the returned pool.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TestCertificates: an expired certificate is an outage, a wrong one a mistake.
func TestCertificates(t *testing.T) {
	tomorrow, yesterday := time.Now().Add(24*time.Hour), time.Now().Add(-24*time.Hour)
	good, roots := certificate(t, "router", tomorrow)
	_, strangers := certificate(t, "router", tomorrow)
	expired, expiredRoots := certificate(t, "router", yesterday)
	other, otherRoots := certificate(t, "elsewhere", tomorrow)
	for _, c := range []struct {
		name string
		cert tls.Certificate
		pool *x509.CertPool
		want flags.Class
	}{
		{"good", good, roots, flags.ClassNotFound},
		{"expired", expired, expiredRoots, flags.ClassTransient},
		{"unknown authority", good, strangers, flags.ClassPermanent},
		{"other name", other, otherRoots, flags.ClassPermanent},
	} {
		t.Run(c.name, func(t *testing.T) {
			lis := answering(t, status.Error(codes.NotFound, "no such set"), grpc.Creds(credentials.NewServerTLSFromCert(&c.cert)))
			s := dialTLS(t, lis, &tls.Config{RootCAs: c.pool, MinVersion: tls.VersionTLS12})
			_, err := s.Head(t.Context(), "shop")
			wantClass(t, err, c.want)
		})
	}
	t.Run("no TLS there", func(t *testing.T) {
		s := dialTLS(t, answering(t, status.Error(codes.NotFound, "no such set")), &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
		_, err := s.Head(t.Context(), "shop")
		if flags.ClassOf(err) == flags.ClassNotFound {
			t.Errorf("answered without TLS: %v", err)
		}
	})
}

func dialTLS(t *testing.T, lis *bufconn.Listener, config *tls.Config) *grpcstore.Store {
	t.Helper()
	s, err := grpcstore.Open("grpcs://router:8015", &grpcstore.Options{
		TLS:  config,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) { return lis.DialContext(ctx) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// TestWhoGaveUp: the caller's end comes before anything gRPC says.
func TestWhoGaveUp(t *testing.T) {
	s := dial(t, answering(t, status.Error(codes.Unavailable, "down")), grpcstore.Options{})
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancelLate := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancelLate()
	for _, ctx := range []context.Context{canceled, late} {
		_, err := s.Head(ctx, "shop")
		wantClass(t, err, flags.ClassCanceled)
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("%v does not wrap %v", err, ctx.Err())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	each(t, s, func(t *testing.T, err error) {
		wantClass(t, err, flags.ClassCanceled)
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%v does not wrap ErrClosed", err)
		}
	})
}

// TestBudgets: a router that accepts and hangs is cut off on time, in every call.
func TestBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		for name, call := range map[string]func(*grpcstore.Store) error{
			"head":  func(s *grpcstore.Store) error { _, err := s.Head(ctx, "shop"); return err },
			"fetch": func(s *grpcstore.Store) error { _, err := s.Fetch(ctx, "shop", flags.Head{}); return err },
			"watch": func(s *grpcstore.Store) error { _, err := s.Watch(ctx, "shop", flags.Head{}); return err },
			"sets":  func(s *grpcstore.Store) error { _, err := s.Sets(ctx); return err },
		} {
			lis := bufconn.Listen(1 << 16) // accepts what nobody serves
			s := dial(t, lis, grpcstore.Options{})
			began := time.Now()
			wantClass(t, call(s), flags.ClassTransient)
			if took := time.Since(began); took != time.Second {
				t.Errorf("%s took %v, want 1s", name, took)
			}
			_ = s.Close()
			_ = lis.Close()
		}
	})
}

func TestTargets(t *testing.T) {
	for _, target := range []string{
		"", "router:8015", "grpc://", "grpc://router", "grpc://:8015", "http://router:8015", "grpc://user:secret@router:8015",
		"grpc://router:8015/path", "grpc://router:8015?x=secret", "grpc://[::1", "grpc://a:1,b:2",
	} {
		s, err := grpcstore.Open(target, nil)
		if err == nil {
			_ = s.Close()
		}
		if !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("Open(%q): %v, want ErrInvalid", target, err)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) tells the password: %v", target, err)
		}
	}
	for _, target := range []string{"grpc://router:8015", "grpcs://[::1]:8015/", "grpc://127.0.0.1:1"} {
		s, err := grpcstore.Open(target, nil)
		if err != nil {
			t.Errorf("Open(%q): %v", target, err)
			continue
		}
		_ = s.Close()
	}
}

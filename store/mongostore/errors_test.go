package mongostore_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/drivertest"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/xoptions"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// said returns the error that the driver makes of a server's answer.
func said(t *testing.T, answer bson.D) error {
	t.Helper()
	opts := options.Client().SetRetryReads(false).SetRetryWrites(false)
	if err := xoptions.SetInternalClientOptions(opts, "deployment", drivertest.NewMockDeployment(answer)); err != nil {
		t.Fatal(err)
	}
	client, err := mongo.Connect(opts)
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Database("d").Collection("c").InsertOne(t.Context(), bson.D{{Key: "_id", Value: 1}})
	if err == nil {
		t.Fatalf("%v made no error", answer)
	}
	return err
}

func TestCodesOfServers(t *testing.T) {
	for class, codes := range map[flags.Class][]int{
		flags.ClassTransient: {6, 7, 50, 89, 91, 133, 134, 189, 262, 462, 9001, 10058, 10107, 11600, 11602, 13435, 13436},
		flags.ClassDenied:    {13, 18, 8000},
		flags.ClassPermanent: {2, 9, 14, 26, 43, 59, 280, 286, 11000, 40573},
	} {
		for _, code := range codes {
			err := said(t, bson.D{{Key: "ok", Value: 0}, {Key: "errmsg", Value: "no"}, {Key: "code", Value: code}})
			if got := mongostore.ClassOf(err); got != class {
				t.Errorf("command error %d: %s, want %s", code, got, class)
			}
			err = said(t, bson.D{{Key: "ok", Value: 1}, {Key: "writeErrors", Value: bson.A{
				bson.D{{Key: "index", Value: 0}, {Key: "code", Value: code}, {Key: "errmsg", Value: "no"}},
			}}})
			if got := mongostore.ClassOf(err); got != class {
				t.Errorf("write error %d: %s, want %s", code, got, class)
			}
		}
	}
	for _, label := range []string{"RetryableWriteError", "TransientTransactionError", "SystemOverloadedError", "RetryableError", "NetworkError"} {
		err := said(t, bson.D{
			{Key: "ok", Value: 0}, {Key: "errmsg", Value: "no"}, {Key: "code", Value: 424242},
			{Key: "errorLabels", Value: bson.A{label}},
		})
		if got := mongostore.ClassOf(err); got != flags.ClassTransient {
			t.Errorf("label %s: %s, want transient", label, got)
		}
	}
}

func TestErrorsOfEverythingElse(t *testing.T) {
	for _, c := range []struct {
		err  error
		want flags.Class
	}{
		{mongo.ErrNoDocuments, flags.ClassNotFound},
		{mongo.ErrClientDisconnected, flags.ClassCanceled},
		{syscall.ECONNREFUSED, flags.ClassTransient},
		{syscall.ECONNRESET, flags.ClassTransient},
		{syscall.EPIPE, flags.ClassTransient},
		{syscall.EHOSTUNREACH, flags.ClassTransient},
		{io.EOF, flags.ClassTransient},
		{io.ErrUnexpectedEOF, flags.ClassTransient},
		{os.ErrDeadlineExceeded, flags.ClassTransient},
		{context.DeadlineExceeded, flags.ClassTransient},
		{&net.DNSError{IsNotFound: true}, flags.ClassTransient},
		{syscall.EMFILE, flags.ClassPermanent},
		{syscall.ENOMEM, flags.ClassPermanent},
		{syscall.EADDRNOTAVAIL, flags.ClassPermanent},
		{x509.UnknownAuthorityError{}, flags.ClassPermanent},
		{x509.HostnameError{Certificate: &x509.Certificate{}}, flags.ClassPermanent},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, flags.ClassPermanent},
		{x509.CertificateInvalidError{Reason: x509.Expired}, flags.ClassTransient},
		{flags.ErrDigest, flags.ClassTransient},
		{flags.ErrFormat, flags.ClassTransient},
		{store.ErrConflict, flags.ClassPermanent},
		{errors.New("never seen before"), flags.ClassTransient},
	} {
		if got := mongostore.ClassOf(fmt.Errorf("wrapped: %w", c.err)); got != c.want {
			t.Errorf("%v: %s, want %s", c.err, got, c.want)
		}
	}
}

func wantClass(t *testing.T, what string, err error, class flags.Class) {
	t.Helper()
	var se *flags.SourceError
	if !errors.As(err, &se) || se.Class != class {
		t.Errorf("%s: %v, want a *flags.SourceError of class %s", what, err, class)
	}
}

func TestServersThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	hung, err := net.Listen("tcp", "127.0.0.1:0") // accepts by the kernel's hand, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = hung.Close() }()
	for name, addr := range map[string]string{"dead": "127.0.0.1:1", "hung": hung.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			opts := quick()
			opts.HeadTimeout = 200 * time.Millisecond
			s := open(t, "mongodb://"+addr+"/d", opts)
			start := time.Now()
			_, err := s.Head(t.Context(), set)
			wantClass(t, "Head", err, flags.ClassTransient)
			_, err = s.Fetch(t.Context(), set, flags.Head{})
			wantClass(t, "Fetch", err, flags.ClassTransient)
			_, err = s.Watch(t.Context(), set, flags.Head{})
			wantClass(t, "Watch", err, flags.ClassTransient)
			_, err = s.Apply(t.Context(), proposal(set, 1))
			wantClass(t, "Apply", err, flags.ClassTransient)
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("four budgets of 200 ms took %v", took)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err = s.Head(ctx, set)
			wantClass(t, "Head with a caller in a hurry", err, flags.ClassCanceled)
			ctx, cancel = context.WithTimeoutCause(t.Context(), 50*time.Millisecond, errors.New("the layer's budget"))
			defer cancel()
			_, err = s.Head(ctx, set)
			wantClass(t, "Head within a budget of the caller's for the layer", err, flags.ClassTransient)
		})
	}
}

// A server that is killed ends the watch with a transient error; reopened once it
// is back, the watch goes on from where it was.
func TestServerRestartsUnderAWatch(t *testing.T) {
	t.Parallel()
	server := testenv.StartMongo(t)
	opts := quick()
	opts.HeadTimeout = 500 * time.Millisecond
	s := open(t, testenv.MongoURI(server, "d"), opts)
	c := create(t, s, set)
	stream, err := s.Watch(t.Context(), set, c.Head())
	if err != nil {
		t.Fatal(err)
	}
	server.Kill()
	for err == nil {
		_, err = stream.Next()
	}
	wantClass(t, "Next", err, flags.ClassTransient)
	_, err = s.Apply(t.Context(), proposal(set, 1))
	wantClass(t, "Apply", err, flags.ClassTransient)
	server.Start(t)

	repeated := proposal(set, 2)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if c, err = s.Apply(t.Context(), repeated); err == nil || time.Now().After(deadline) {
			break
		}
	}
	if err != nil || c.Revision != 2 {
		t.Fatalf("after the restart: %s, %v", c.Version, err)
	}
	stream, err = s.Watch(t.Context(), set, flags.Head{Set: set, Lineage: c.Lineage, Version: flags.Version{Revision: 1}})
	if err != nil {
		t.Fatal(err)
	}
	ev, err := stream.Next()
	if err != nil || ev.Head != c.Head() || ev.Reset != "" || len(ev.Commits) != 1 {
		t.Fatalf("the watch resumed with %+v, %v", ev, err)
	}
	_ = stream.Close()
}

func TestOpenRefusesWhatItCannotRead(t *testing.T) {
	for _, uri := range []string{"", "redis://h", "mongodb://", "mongodb://ana:hush@h/?w=-3", "mongodb://ana:hu:sh@h/d", "mongodb://ana:hush@h/a b", "mongodb://h:99999999/d"} {
		s, err := mongostore.Open(t.Context(), uri, nil)
		if err == nil {
			_ = s.Close()
			t.Errorf("%q: opened", uri)
			continue
		}
		if strings.Contains(err.Error(), "hu") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error shows the password or takes several lines: %v", uri, err)
		}
	}
}

func TestRedact(t *testing.T) {
	for uri, want := range map[string]string{
		"mongodb://h/d":                          "mongodb://h/d",
		"mongodb://ana:p%40ss@a:1,b:2/d?x=y":     "mongodb://a:1,b:2/d",
		"mongodb+srv://ana:p@ss@cluster.example": "mongodb+srv://cluster.example",
		"secret":                                 "(not a URI)",
	} {
		if got := mongostore.Redact(uri); got != want {
			t.Errorf("Redact(%q) = %q, want %q", uri, got, want)
		}
	}
}

package rediscache_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// an offer that every cache takes.
func offer() cachestrategy.Offer {
	head := flags.Head{Set: "shop", Lineage: "abcdefgh", Version: flags.Version{Revision: 1}}
	return cachestrategy.Offer{Update: flags.Update{Head: head, Checkpoint: &flags.Checkpoint{Head: head}}}
}

func get(t testing.TB, c *rediscache.Cache) error {
	t.Helper()
	_, err := c.Get(t.Context(), cachestrategy.Query{Set: "shop"})
	return err
}

func put(t testing.TB, c *rediscache.Cache) error {
	t.Helper()
	_, err := c.Put(t.Context(), offer())
	return err
}

// What a server says, and what that means for reading and for writing.
func TestReplies(t *testing.T) {
	const transient, permanent, denied = flags.ClassTransient, flags.ClassPermanent, flags.ClassDenied
	server := miniredis.RunT(t)
	o := patient
	c := open(t, "redis://"+server.Addr(), &o)
	if err := put(t, c); err != nil { // also connects: the handshake is not what is tested
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reply    string
		get, put flags.Class
	}{
		{"LOADING Redis is loading the dataset in memory", transient, transient},
		{"READONLY You can't write against a read only replica.", transient, transient},
		{"CLUSTERDOWN The cluster is down", transient, transient},
		{"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.", transient, transient},
		{"TRYAGAIN Multiple keys request during rehashing of slot", transient, transient},
		{"NOREPLICAS Not enough good replicas to write.", transient, transient},
		{"ERR max number of clients reached", transient, transient},
		{"BUSY Redis is busy running a script.", transient, transient},
		{"MISCONF Redis is configured to save RDB snapshots", transient, transient},
		{"UNKILLABLE Sorry the script already executed write commands", transient, transient},
		{"NOSCRIPT No matching script. Please use EVAL.", transient, transient},
		{"OOM command not allowed when used memory > 'maxmemory'.", permanent, transient},
		{"MOVED 3999 127.0.0.1:6381", permanent, permanent},
		{"ASK 3999 127.0.0.1:6381", permanent, permanent},
		{"WRONGTYPE Operation against a key holding the wrong kind of value", permanent, permanent},
		{"CROSSSLOT Keys in request don't hash to the same slot", permanent, permanent},
		{"EXECABORT Transaction discarded because of previous errors.", permanent, permanent},
		{"ERR unknown command 'EVALSHA'", permanent, permanent},
		{"ERR syntax error", permanent, permanent},
		{"NOAUTH Authentication required.", denied, denied},
		{"WRONGPASS invalid username-password pair or user is disabled.", denied, denied},
		{"NOPERM this user has no permissions to run the command", denied, denied},
		{"SOMETHING nobody has heard of", transient, transient},
	} {
		server.SetError(tt.reply)
		if err := get(t, c); flags.ClassOf(err) != tt.get || err == nil {
			t.Errorf("%.12s: get: %v of class %v, want %v", tt.reply, err, flags.ClassOf(err), tt.get)
		}
		if err := put(t, c); flags.ClassOf(err) != tt.put || err == nil {
			t.Errorf("%.12s: put: %v of class %v, want %v", tt.reply, err, flags.ClassOf(err), tt.put)
		}
		server.SetError("")
	}
}

func TestNetworkErrors(t *testing.T) {
	dial := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{dial(syscall.ECONNREFUSED), "transient"},
		{dial(syscall.ECONNRESET), "transient"},
		{dial(syscall.EHOSTUNREACH), "transient"},
		{io.EOF, "transient"},
		{os.ErrDeadlineExceeded, "transient"},
		{context.DeadlineExceeded, "transient"},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, "transient"},
		{redis.ErrPoolTimeout, "transient"},
		{redis.ErrPoolExhausted, "transient"},
		{x509.CertificateInvalidError{Reason: x509.Expired}, "transient"},
		{x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, "permanent"},
		{x509.UnknownAuthorityError{}, "permanent"},
		{dial(syscall.EMFILE), "permanent"},
		{dial(syscall.EADDRNOTAVAIL), "permanent"},
		{redis.ErrClosed, "canceled"},
		{errors.New("what is this"), "transient"},
	} {
		if got := rediscache.ClassOf(t.Context(), "get", tt.err); got != tt.want {
			t.Errorf("%v: %s, want %s", tt.err, got, tt.want)
		}
	}
}

// A caller that left is no fault of Redis; a budget that ended is.
func TestWhoseTime(t *testing.T) {
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	told, tell := context.WithCancelCause(t.Context())
	tell(errors.New("the caller's own reason"))
	late, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	budget, cancel := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), errors.New("budget"))
	defer cancel()
	for name, tt := range map[string]struct {
		ctx  context.Context
		want string
	}{"canceled": {canceled, "canceled"}, "canceled with a cause": {told, "canceled"}, "deadline": {late, "canceled"}, "budget": {budget, "transient"}} {
		if got := rediscache.ClassOf(tt.ctx, "get", os.ErrDeadlineExceeded); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// A server that refuses or hangs costs a read no more than the timeout.
func TestDeadServer(t *testing.T) {
	proxy, err := faultnet.Listen(testenv.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	c := open(t, "redis://"+proxy.Addr()+"?prefix="+testenv.Name(t), &rediscache.Options{Timeout: 300 * time.Millisecond})
	for _, mode := range []faultnet.Mode{faultnet.Hang, faultnet.Refuse, faultnet.Reset} {
		if err := proxy.Set(faultnet.Faults{Mode: mode}); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			start := time.Now()
			if err := get(t, c); flags.ClassOf(err) != flags.ClassTransient || errors.Is(err, cachestrategy.ErrMiss) {
				t.Errorf("mode %d: %v of class %v", mode, err, flags.ClassOf(err))
			}
			// Three times the budget is for a busy machine; without one it would hang.
			if took := time.Since(start); took > 900*time.Millisecond {
				t.Errorf("mode %d: a read took %v", mode, took)
			}
		}
	}
	if err := proxy.Set(faultnet.Faults{}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for err = get(t, c); !errors.Is(err, cachestrategy.ErrMiss); err = get(t, c) {
		if time.Now().After(deadline) {
			t.Fatalf("the server is back, yet: %v", err)
		}
	}
}

// admin runs a command on a server.
func admin(t testing.TB, addr string, args ...any) {
	t.Helper()
	client := redis.NewClient(&redis.Options{Addr: addr, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	if err := client.Do(t.Context(), args...).Err(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// A user who may only read the keys reads; what it may not do is denied.
func TestReadOnlyUser(t *testing.T) {
	addr := testenv.StartRedis(t).Addr()
	o := patient
	writer := open(t, "redis://"+addr, &o)
	if err := put(t, writer); err != nil {
		t.Fatal(err)
	}
	admin(t, addr, "ACL", "SETUSER", "reader", "on", ">secret", "~holdfast:*", "+@read")
	reader := open(t, "redis://reader:secret@"+addr, &o)
	if err := get(t, reader); err != nil {
		t.Errorf("Get: %v", err)
	}
	if err := put(t, reader); flags.ClassOf(err) != flags.ClassDenied {
		t.Errorf("Put: %v of class %v, want denied", err, flags.ClassOf(err))
	}
	wrong := open(t, "redis://reader:hunter2@"+addr, &o)
	err := get(t, wrong)
	if flags.ClassOf(err) != flags.ClassDenied {
		t.Errorf("wrong password: %v of class %v, want denied", err, flags.ClassOf(err))
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats the password: %v", err)
	}
}

// A replica serves reads and refuses writes; a full server does too.
func TestServerThatCannotWrite(t *testing.T) {
	addr := testenv.StartRedis(t).Addr()
	o := patient
	c := open(t, "redis://"+addr, &o)
	if err := put(t, c); err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		if err := get(t, c); err != nil {
			t.Errorf("%s: Get: %v", what, err)
		}
		if err := put(t, c); flags.ClassOf(err) != flags.ClassTransient || err == nil {
			t.Errorf("%s: Put: %v of class %v, want transient", what, err, flags.ClassOf(err))
		}
	}
	admin(t, addr, "CONFIG", "SET", "maxmemory", "1")
	check("full")
	admin(t, addr, "CONFIG", "SET", "maxmemory", "0")
	admin(t, addr, "REPLICAOF", "127.0.0.1", "1")
	check("replica")
}

// Package grpcstore is a router seen as a store: the client of the router's own
// gRPC API.
//
// Open does no I/O. The first answer of a call, or its first message, is bounded
// by a budget of its own (1 s); what follows has another (30 s). Snapshots and
// commits are checked against their digests where they are put together, and
// errors are classified here: above this package nobody looks at gRPC's.
package grpcstore

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/store"
)

// Options configure a Store. The zero value is ready for production.
type Options struct {
	// Identity is what the router shows of this process in its list of clients.
	Identity Identity
	// APIKey is sent with each call. Over grpc:// it travels in the clear.
	APIKey string
	// APIKeyFrom returns the key of a call, so that keys can be renewed; it is asked instead
	// of APIKey, at any time. Default: none.
	APIKeyFrom func() string
	// Relay passes writes on for others: they keep the actor and the address that they
	// come with. The router takes that from admin keys of all sets only.
	Relay bool
	// TLS configures grpcs:// targets. Default: the system's roots.
	TLS *tls.Config
	// TLSFrom returns the configuration for a connection to be made, instead of TLS, where
	// certificates change while the process runs. Default: TLS.
	TLSFrom func() *tls.Config
	// HeadTimeout bounds the time to the first answer of any call. Default 1 s.
	HeadTimeout time.Duration
	// BulkTimeout bounds what follows the first answer of a call, and the silence
	// on a watch. Default 30 s.
	BulkTimeout time.Duration
	// WriteTimeout bounds Apply: a write under load is slow rather than lost.
	// Default 10 s.
	WriteTimeout time.Duration
	// PingEvery is how often a watch asks for a confirmation of the head, which
	// bounds how old its answers can be. Default 5 s.
	PingEvery time.Duration
	// Dial replaces the dialling of TCP, and the resolving of names. Default: none.
	Dial func(ctx context.Context, address string) (net.Conn, error)
}

// Identity is who this process is. Empty fields are left out.
type Identity struct {
	Name     string // of the application
	Language string // default "go"
	Version  string // of the SDK
	Instance string // of the process
}

func (o *Options) orDefaults() Options {
	out := Options{}
	if o != nil {
		out = *o
	}
	out.Identity.Language = cmp.Or(out.Identity.Language, "go")
	out.HeadTimeout = cmp.Or(out.HeadTimeout, time.Second)
	out.BulkTimeout = cmp.Or(out.BulkTimeout, 30*time.Second)
	out.WriteTimeout = cmp.Or(out.WriteTimeout, 10*time.Second)
	out.PingEvery = cmp.Or(out.PingEvery, 5*time.Second)
	return out
}

// Store is a router. All methods are safe for concurrent use.
type Store struct {
	opts   Options
	conn   *grpc.ClientConn
	flags  pb.FlagsClient
	admin  pb.AdminClient
	items  pb.RecordsClient
	cause  *lastCause
	closed atomic.Bool
}

var _ store.Store = (*Store)(nil)

// Open returns a store for target, grpc://HOST:PORT or grpcs://HOST:PORT. It
// does not connect. opts may be nil. The error wraps flags.ErrInvalid.
func Open(target string, opts *Options) (*Store, error) {
	o := opts.orDefaults()
	address, secure, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	cause := &lastCause{}
	creds := insecure.NewCredentials()
	if secure {
		creds = &watchedTLS{credentials.NewTLS(o.TLS), o.TLSFrom, cause}
	}
	scheme := "dns:///"
	dial := cause.dialer((&net.Dialer{}).DialContext, secure)
	if o.Dial != nil {
		scheme = "passthrough:///"
		dial = cause.dialer(func(ctx context.Context, _, address string) (net.Conn, error) { return o.Dial(ctx, address) }, secure)
	}
	conn, err := grpc.NewClient(scheme+address,
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(dial),
		grpc.WithDisableRetry(), // the breaker counts attempts, so they are made one by one
		grpc.WithDisableServiceConfig(),
		grpc.WithNoProxy(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessageBytes), grpc.MaxCallSendMsgSize(wire.MaxMessageBytes)),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 20 * time.Second, Timeout: 5 * time.Second, PermitWithoutStream: true}),
		// gRPC's own pause between connects grows to two minutes by default, which
		// would outlast the breaker's.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 200 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 2 * time.Second},
			MinConnectTimeout: 2 * time.Second,
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("%w target %q: %w", flags.ErrInvalid, target, err)
	}
	return &Store{opts: o, conn: conn, flags: pb.NewFlagsClient(conn), admin: pb.NewAdminClient(conn), items: pb.NewRecordsClient(conn), cause: cause}, nil
}

func parseTarget(target string) (address string, secure bool, err error) {
	u, err := url.Parse(target)
	if err != nil {
		return "", false, fmt.Errorf("%w target: want grpc://HOST:PORT or grpcs://HOST:PORT", flags.ErrInvalid)
	}
	_, port, splitErr := net.SplitHostPort(u.Host)
	switch {
	case u.Scheme != "grpc" && u.Scheme != "grpcs", splitErr != nil, port == "", u.Hostname() == "",
		u.User != nil, u.RawQuery != "", u.Path != "" && u.Path != "/":
		return "", false, fmt.Errorf("%w target %q: want grpc://HOST:PORT or grpcs://HOST:PORT", flags.ErrInvalid, u.Scheme+"://"+u.Host)
	}
	return u.Host, u.Scheme == "grpcs", nil
}

// ResetConnectBackoff makes the next call connect at once instead of waiting
// out the pause after a failed connect. A breaker calls it before its probe.
func (s *Store) ResetConnectBackoff() { s.conn.ResetConnectBackoff() }

// Close closes the connection; open watches end with store.ErrClosed. It is idempotent.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.conn.Close()
}

// budget says which of our own limits ended a call.
var (
	errHeadBudget = errors.New("no answer within the budget")
	errBulkBudget = errors.New("not complete within the bulk deadline")
	errSilence    = errors.New("nothing heard on the watch")
)

// call returns a context for a call whose whole answer is its first. A caller's
// own earlier deadline stays the caller's.
func (s *Store) call(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(s.outgoing(ctx), s.opts.HeadTimeout, errHeadBudget)
}

func (s *Store) outgoing(ctx context.Context) context.Context {
	key := s.opts.APIKey
	if s.opts.APIKeyFrom != nil {
		key = s.opts.APIKeyFrom()
	}
	if key == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
}

// reconnect connects now, and waits until that came to something. Without the wait the
// next call would fail for the reason that the last attempt had, long ago perhaps: gRPC
// reports an old failure until a connection is ready.
func (s *Store) reconnect(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.cause.failed.Store(&cancel)
	s.conn.ResetConnectBackoff()
	s.conn.WaitForStateChange(ctx, connectivity.TransientFailure)
}

// Head is flags.Source's.
func (s *Store) Head(ctx context.Context, set string) (flags.Head, error) {
	head, _, err := s.HeadAsOf(ctx, set)
	return head, err
}

// HeadAsOf is flags.DatedSource's: a relay that is cut off answers from what it holds.
func (s *Store) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	asked := time.Now()
	op := "grpcstore: head " + set
	call, cancel := s.call(ctx)
	defer cancel()
	if s.conn.GetState() == connectivity.TransientFailure {
		s.reconnect(call) // one head read is the probe that decides whether the router is back
	}
	resp, err := s.askHead(call, set)
	if err != nil {
		return flags.Head{}, asked, s.classify(ctx, call, op, err)
	}
	head, err := answered(set, resp.GetHead())
	return head, asked.Add(-wire.ToDuration(resp.GetAgeUs())), s.classify(ctx, call, op, err)
}

// askHead asks once more, within the same budget, when a connection that was there before
// the call died without an answer: it may have died during an outage that is over, and a
// probe that took its end for the router's would cost another cooldown.
func (s *Store) askHead(ctx context.Context, set string) (*pb.HeadResponse, error) {
	old := s.conn.GetState() == connectivity.Ready
	var header, trailer metadata.MD // a router that answers, be it with an error, sends one of them
	resp, err := s.flags.Head(ctx, &pb.HeadRequest{Set: set}, grpc.Header(&header), grpc.Trailer(&trailer))
	if old && status.Code(err) == codes.Unavailable && len(header) == 0 && len(trailer) == 0 {
		return s.flags.Head(ctx, &pb.HeadRequest{Set: set})
	}
	return resp, err
}

// answered checks that a head is of the set that was asked for.
func answered(set string, m *pb.Head) (flags.Head, error) {
	head, err := wire.ToHead(m)
	if err == nil && (head.Set != set || head.Version.IsZero()) {
		err = fmt.Errorf("%w: asked for set %q, got %s", flags.ErrFormat, set, head.Token())
	}
	return head, err
}

// Apply is store.Writer's.
func (s *Store) Apply(ctx context.Context, c flags.Commit) (flags.Commit, error) {
	op := "grpcstore: apply " + c.Set
	encoded, err := c.MarshalBinary()
	if err != nil {
		return flags.Commit{}, store.Classify(op, err)
	}
	call, cancel := context.WithTimeoutCause(s.outgoing(ctx), s.opts.WriteTimeout, errHeadBudget)
	defer cancel()
	if s.opts.Relay {
		call = metadata.AppendToOutgoingContext(call, wire.RelayHeader, "1")
	}
	resp, err := s.flags.Apply(call, &pb.ApplyRequest{Commit: encoded})
	if err != nil {
		return flags.Commit{}, s.classify(ctx, call, op, err)
	}
	var accepted flags.Commit
	err = accepted.UnmarshalBinary(resp.GetCommit())
	if err == nil && (accepted.ID != c.ID || accepted.Set != c.Set) {
		err = fmt.Errorf("%w: applied %s, router answered with %s", flags.ErrFormat, c.ID, accepted.ID)
	}
	if err != nil {
		return flags.Commit{}, s.classify(ctx, call, op, err)
	}
	return accepted, nil
}

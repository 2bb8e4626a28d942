// Package reststore is a router seen as a source of flag sets over plain HTTP:
// for places that let nothing else through.
//
// Open does no I/O. The first answer of a call is bounded by a budget of its own
// (5 s); what follows has another (30 s). Sets and commits come in the form in
// which stores keep them and are checked against their digests; errors are
// classified here: above this package nobody looks at net/http's.
package reststore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/store"
)

// DefaultTimeout bounds the first answer of a call: connections through proxies
// and gateways take longer than a stream that is open already.
const DefaultTimeout = 5 * time.Second

// Options configure a Store. The zero value is ready for production.
type Options struct {
	// Identity is what the router shows of this process in its list of clients.
	Identity Identity
	// APIKey is sent with each call. Over rest+http:// it travels in the clear.
	APIKey string
	// APIKeyFrom returns the key of a call, so that keys can be renewed; it is asked instead
	// of APIKey, at any time. Default: none.
	APIKeyFrom func() string
	// TLS configures rest+https:// targets. Default: the system's roots.
	TLS *tls.Config
	// TLSFrom returns the configuration for a connection to be made, instead of TLS, where
	// certificates change while the process runs. Default: TLS.
	TLSFrom func() *tls.Config
	// HeadTimeout bounds the time to the first answer of any call. Default 5 s.
	HeadTimeout time.Duration
	// BulkTimeout bounds what follows the first answer of a call, and the silence
	// on a watch. Default 30 s.
	BulkTimeout time.Duration
	// ConfirmEvery is how often a watch asks for a confirmation of the head, which
	// bounds how old its answers can be. Default 5 s.
	ConfirmEvery time.Duration
	// Dial replaces the dialling of TCP, and the resolving of names. It gets the
	// target's host and port. Default: none.
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
	out.HeadTimeout = cmp.Or(out.HeadTimeout, DefaultTimeout)
	out.BulkTimeout = cmp.Or(out.BulkTimeout, 30*time.Second)
	out.ConfirmEvery = cmp.Or(out.ConfirmEvery, 5*time.Second)
	return out
}

// Store is a router, for reading. All methods are safe for concurrent use.
type Store struct {
	opts      Options
	base      *url.URL
	transport *http.Transport
	client    *http.Client

	life   context.Context // of the store, which Close ends for all calls under way
	end    context.CancelFunc
	closed atomic.Bool
	pause  atomic.Pointer[time.Time] // until when the router wants to be left alone
}

var (
	_ flags.Source  = (*Store)(nil)
	_ flags.Watcher = (*Store)(nil)
	_ store.History = (*Store)(nil)
)

// Open returns a store for target, rest+http://HOST[:PORT][/PATH] or
// rest+https://HOST[:PORT][/PATH]. It does not connect. opts may be nil. The error
// wraps flags.ErrInvalid.
func Open(target string, opts *Options) (*Store, error) {
	base, err := parseTarget(target)
	if err != nil {
		return nil, err
	}
	o := opts.orDefaults()
	s := &Store{opts: o, base: base}
	s.life, s.end = context.WithCancel(context.Background())
	s.transport = &http.Transport{
		DialContext:            o.dial,
		TLSHandshakeTimeout:    o.HeadTimeout,
		MaxIdleConns:           4,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        time.Minute, // less than routers and most proxies keep theirs
		DisableCompression:     true,        // what is large is compressed already
		MaxResponseHeaderBytes: 64 << 10,
	}
	if o.TLS != nil {
		s.transport.TLSClientConfig = o.TLS.Clone()
	}
	if o.TLSFrom != nil {
		s.transport.DialTLSContext = o.dialTLS
	}
	s.client = &http.Client{
		Transport: s.transport,
		// Whatever answers at another address has not been named by the configuration.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return s, nil
}

// dial bounds what the transport lets go on after the call that wanted it has ended.
func (o *Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.HeadTimeout)
	defer cancel()
	if o.Dial != nil {
		return o.Dial(ctx, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, address)
}

// dialTLS connects with the configuration of the moment.
func (o *Options) dialTLS(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.HeadTimeout)
	defer cancel()
	raw, err := o.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	config := o.TLSFrom().Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address) // the transport has added the port
	}
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	return conn, nil
}

func parseTarget(target string) (*url.URL, error) {
	bad := func(why string) (*url.URL, error) {
		return nil, fmt.Errorf("%w target: %s; want rest+http://HOST:PORT or rest+https://HOST:PORT", flags.ErrInvalid, why)
	}
	plain, ok := strings.CutPrefix(target, "rest+")
	if !ok {
		return bad("the scheme is another")
	}
	u, err := url.Parse(plain)
	switch {
	case err != nil:
		return bad("not a URL") // the error would show what is in it
	case u.Scheme != "http" && u.Scheme != "https":
		return bad("the scheme is another")
	case u.Hostname() == "":
		return bad("no host")
	case u.User != nil:
		return bad("credentials belong into the API key")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return bad("there are no parameters")
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/")}, nil
}

// ResetConnections gives up connections that are not in use, so that the next call
// meets the router itself and not what a connection from before an outage leads to.
func (s *Store) ResetConnections() { s.transport.CloseIdleConnections() }

// Close ends all calls and watches. Idempotent.
func (s *Store) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	s.end()
	s.transport.CloseIdleConnections()
	return nil
}

// call returns the context of a call, bounded by the budget to the first answer.
func (s *Store) call(ctx context.Context) (call *remote.Deadline, release func()) {
	call = remote.NewDeadline(ctx, s.opts.HeadTimeout, errHeadBudget)
	stop := context.AfterFunc(s.life, func() { call.End(store.ErrClosed) })
	return call, func() {
		stop()
		call.End(nil)
	}
}

// request is what to ask of the router.
type request struct {
	method string // default GET
	path   []string
	query  url.Values
	accept string
	header map[string]string
	body   []byte // JSON
}

// do asks the router and returns its answer where that is 200; its body must be
// closed. Any other is a *statusError.
func (s *Store) do(call context.Context, r request) (*http.Response, error) {
	if s.closed.Load() {
		return nil, store.ErrClosed
	}
	if until := s.pause.Load(); until != nil && time.Now().Before(*until) {
		return nil, fmt.Errorf("%w for %v more", errPaused, time.Until(*until).Round(time.Millisecond))
	}
	target := s.base.JoinPath(append([]string{"api", "v1", "sets"}, r.path...)...)
	target.RawQuery = r.query.Encode()
	req, err := http.NewRequestWithContext(call, cmp.Or(r.method, http.MethodGet), target.String(), bytes.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", r.accept)
	req.Header.Set("User-Agent", "holdfast")
	key := s.opts.APIKey
	if s.opts.APIKeyFrom != nil {
		key = s.opts.APIKeyFrom()
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	if r.body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for name, value := range r.header {
		req.Header.Set(name, value)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, s.refused(resp)
	}
	return resp, nil
}

// Package router is the daemon: it owns the primary store, follows its sets in a
// hub, serves them to clients, and publishes every commit to mirrors and caches.
//
//	store -> hub -> client streams (flagsvc)
//	             -> mirrors, commit by commit
//	             -> caches, put-if-newer
//
// Whatever hangs below the hub reads feeds at its own pace; none of it can delay
// a write or another reader.
package router

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"sync"
	"time"

	grpcprom "github.com/grpc-ecosystem/go-grpc-middleware/providers/prometheus"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/ofrep"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store"
)

// Options configure a Router. Store is required; of the others the zero value is
// ready for production.
type Options struct {
	Store     store.Store // closed by the router
	StoreKind string      // bolt, mongodb, memory, relay; for status
	// Upstream returns why the router in front of which this one is could not serve when it
	// was last called; nil: it did. Default: there is none.
	Upstream func() error
	Mirrors  []Mirror
	Caches   []Cache
	// Webhooks are told of every commit. The router closes them.
	Webhooks []*webhook.Hook
	// Policy decides who may do what. Default authz.Open.
	Policy authz.Policy
	// Context is laid over the context of every evaluation, and HeaderContext over that:
	// the attribute that the value of a request header becomes, by header. Default: none.
	Context       map[string]flags.Value
	HeaderContext map[string]string
	// CORSOrigins are the origins whose pages may evaluate flags, as a browser says them;
	// * is every one. Default: none.
	CORSOrigins []string
	// OFREPRate is how many OFREP requests a client may make per second. Default: any number.
	OFREPRate float64
	// Records are what administrators may read and write, API keys among them. Default: none.
	Records store.Records
	// TLS is used on all listeners. Default: none.
	TLS *tls.Config
	// Profiling serves /debug/pprof on the ops listener.
	Profiling bool
	// DrainTimeout bounds the shutdown. Default 5 s.
	DrainTimeout time.Duration
	Version      string       // of the router; for status
	Logger       *slog.Logger // default: discarded
}

// Mirror is a secondary that the router keeps current.
type Mirror struct {
	Name    string // without credentials
	Replica store.Replica
}

// Cache is a cache that the router publishes into.
type Cache struct {
	Name string // without credentials
	Sink flags.Sink
}

// Router is one router. Make one with New, then Serve it, once.
type Router struct {
	opts     Options
	writes   *writes
	hub      *hub.Hub
	eval     *evaluator.Evaluator
	evalsvc  *evalsvc.Service
	svc      *flagsvc.Service
	sync     *syncsvc.Service
	rest     *restapi.Service
	page     *adminweb.Page
	ofrep    *ofrep.Service
	server   *grpc.Server
	health   *healthService
	registry *prometheus.Registry
	mirrors  []*publisher
	caches   []*publisher
	hooks    []*publisher
	started  time.Time

	notices chan string // names of sets to follow; a full channel is no loss, see follow

	mu       sync.Mutex
	stopping bool
}

// New puts a router together. It starts nothing but what follows the sets, which
// Serve ends.
func New(opts Options) *Router {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.DrainTimeout = cmp.Or(opts.DrainTimeout, 5*time.Second)
	r := &Router{opts: opts, started: time.Now(), notices: make(chan string, 64)}
	r.writes = &writes{Store: opts.Store, noticed: r.notice}
	r.hub = hub.New(opts.Store, opts.Logger)
	r.eval = evaluator.New(evaluator.Options{
		Hub: r.hub, Policy: opts.Policy, Context: opts.Context, HeaderContext: opts.HeaderContext, Logger: opts.Logger,
	})
	r.evalsvc = evalsvc.New(evalsvc.Options{Evaluator: r.eval, Logger: opts.Logger})
	for _, m := range opts.Mirrors {
		p := &mirror{name: m.Name, replica: m.Replica, journal: opts.Store}
		r.mirrors = append(r.mirrors, newPublisher(m.Name, p, opts.Logger))
	}
	for _, c := range opts.Caches {
		r.caches = append(r.caches, newPublisher(c.Name, &cache{c.Sink}, opts.Logger))
	}
	for _, h := range opts.Webhooks {
		p := newPublisher(h.Name(), hook{h}, opts.Logger)
		p.longest = longestHookRetry
		r.hooks = append(r.hooks, p)
	}
	r.svc = flagsvc.New(flagsvc.Options{
		Store: r.writes, Hub: r.hub, Policy: opts.Policy, Records: opts.Records, Status: r.statusMessage, Logger: opts.Logger,
	})
	r.sync = syncsvc.New(syncsvc.Options{Evaluator: r.eval, Heads: store.Coalesce(opts.Store, nil), Logger: opts.Logger})
	r.rest = restapi.New(restapi.Options{Store: r.writes, Hub: r.hub, Policy: opts.Policy, Logger: opts.Logger})
	_, open := opts.Policy.(authz.Open)
	r.page = adminweb.New(adminweb.Options{Store: r.writes, Hub: r.hub, Policy: opts.Policy, Records: opts.Records, Login: !open, SecureCookies: opts.TLS != nil, Health: r.pageHealth, Logger: opts.Logger})
	r.ofrep = ofrep.New(ofrep.Options{Evaluator: r.eval, Policy: opts.Policy, Rate: opts.OFREPRate, Logger: opts.Logger})
	metrics := grpcprom.NewServerMetrics(grpcprom.WithServerHandlingTimeHistogram())
	r.server, r.health = newServer(opts, r.svc, r.sync, metrics)
	r.registry = newRegistry(r, metrics)
	return r
}

func (r *Router) notice(set string) {
	select {
	case r.notices <- set:
	default: // the next round of follow finds it
	}
}

// CheckMirrors returns an error wrapping flags.ErrLineage if a mirror that can be
// reached holds another history than the store. One that cannot be reached is
// looked at when it can.
func (r *Router) CheckMirrors(ctx context.Context) error {
	heads, err := r.opts.Store.Sets(ctx)
	if err != nil {
		return err
	}
	for _, p := range r.mirrors {
		m, _ := p.place.(*mirror)
		for _, head := range heads {
			at, err := m.locate(ctx, head.Set)
			if err != nil {
				break
			}
			if err := m.admit(at, head); errors.Is(err, flags.ErrLineage) {
				return err
			}
		}
	}
	return nil
}

// Close ends a router that is not served after all, and closes its store.
func (r *Router) Close() error {
	r.eval.Close()
	r.hub.Close()
	for _, h := range r.opts.Webhooks {
		h.Close()
	}
	return r.opts.Store.Close()
}

// Hold returns the version of a set from which on a mirror still needs the
// commits, for the store's compaction; zero where none does. One that has not been
// reached since the start may need all there are. A mirror that has been out of
// reach for a week does not count any more.
func (r *Router) Hold(set string) flags.Version {
	var oldest flags.Version
	for _, p := range r.mirrors {
		if needs, counts := p.needs(set); counts && (oldest.IsZero() || needs.Before(oldest)) {
			oldest = needs
		}
	}
	return oldest
}

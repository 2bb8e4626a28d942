package router

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
)

// Listeners are where a router is served. All but GRPC may be nil.
type Listeners struct {
	GRPC net.Listener // the router's own API, health, reflection
	Eval net.Listener // flagd's evaluation protocols
	HTTP net.Listener // the page, the REST API, OFREP
	Ops  net.Listener // /livez, /readyz, /metrics
	// The names that these were configured with, if any. On loopback a browser is answered
	// by no others but localhost and addresses.
	EvalName, HTTPName, OpsName string
}

// Serve serves until ctx ends or a listener fails, then shuts down in order:
// writes are refused, watchers told to leave, calls under way finished, mirrors
// and caches brought up to date, all within Options.DrainTimeout; then the store
// is closed. The error is that of the listener, or of closing the store.
func (r *Router) Serve(ctx context.Context, on Listeners) error {
	following, stopFollowing := context.WithCancel(context.WithoutCancel(ctx))
	var wg sync.WaitGroup
	wg.Go(func() { r.follow(following) })

	web, eval := r.httpServer(r.webHandler(on.HTTP, on.HTTPName)), r.evalServer(on.Eval, on.EvalName)
	ops := r.httpServer(onlyLocalNames(r.opsHandler(), on.Ops, on.OpsName))
	failed := make(chan error, 4)
	serve := func(what string, l net.Listener, serve func(net.Listener) error) {
		if l == nil {
			return
		}
		wg.Go(func() {
			if err := serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("router: serve %s on %s: %w", what, l.Addr(), err)
			}
		})
	}
	serve("gRPC", on.GRPC, r.server.Serve)
	serve("evaluation", limitPerAddress(on.Eval, connsPerAddress), func(l net.Listener) error {
		if eval.TLSConfig != nil {
			return eval.ServeTLS(l, "", "")
		}
		return eval.Serve(l)
	})
	serve("HTTP", r.secure(limitPerAddress(on.HTTP, connsPerAddress)), web.Serve)
	serve("ops", r.secure(on.Ops), ops.Serve)

	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	r.stop(web, ops, eval)
	stopFollowing()
	wg.Wait()
	return errors.Join(err, r.Close())
}

func (r *Router) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler: authz.Serve(r.opts.Policy, h), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(r.opts.Logger.Handler(), slog.LevelDebug), // clients' broken handshakes and the like
	}
}

// secure adds TLS, where it is on.
func (r *Router) secure(l net.Listener) net.Listener {
	if l == nil || r.opts.TLS == nil {
		return l
	}
	return tls.NewListener(l, speaking(r.opts.TLS, "http/1.1")) // a watch is a connection, so that connections bound them
}

// speaking returns config for these protocols and no others, also where it is chosen
// anew for each connection.
func speaking(config *tls.Config, protocols ...string) *tls.Config {
	config = config.Clone()
	config.NextProtos = protocols
	if choose := config.GetConfigForClient; choose != nil {
		config.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			chosen, err := choose(hello)
			if chosen != nil {
				chosen = chosen.Clone()
				chosen.NextProtos = protocols
			}
			return chosen, err
		}
	}
	return config
}

func (r *Router) stop(servers ...*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), r.opts.DrainTimeout)
	defer cancel()
	r.mu.Lock()
	r.stopping = true
	r.mu.Unlock()
	r.health.stop()
	r.writes.stop()
	r.svc.Drain()
	r.sync.Drain()
	r.rest.Drain()
	r.page.Drain()
	r.ofrep.Drain()
	r.evalsvc.Drain()

	graceful := make(chan struct{})
	go func() {
		defer close(graceful)
		r.server.GracefulStop()
	}()
	for _, s := range servers {
		if s.Shutdown(ctx) != nil {
			_ = s.Close() // out of patience
		}
	}
	r.writes.wait(ctx)
	r.settle(ctx)
	select {
	case <-graceful:
	case <-ctx.Done():
		r.server.Stop()
		<-graceful
	}
}

// settle waits until mirrors and caches that work have the last commits, and
// first until the hub has them.
func (r *Router) settle(ctx context.Context) {
	for _, set := range r.hub.Sets() {
		if head, err := r.opts.Store.Head(ctx, set.Name()); err == nil {
			set.Reach(ctx, head)
		}
	}
	for more := true; more && r.behind(); {
		more = sleep(ctx, 10*time.Millisecond)
	}
}

// behind leaves webhooks out: their cursors are durable, and a receiver that hangs shall
// not keep a router from stopping.
func (r *Router) behind() bool {
	for _, p := range slices.Concat(r.mirrors, r.caches) {
		for _, s := range p.status() {
			if s.Lag > 0 && s.Err == nil {
				return true
			}
		}
	}
	return false
}

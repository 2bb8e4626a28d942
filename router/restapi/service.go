package restapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/rescue"
	"github.com/holdfast-flags/holdfast/store"
)

// Store is what the API reads and writes.
type Store interface {
	flags.Source
	store.History
	store.Writer
}

// Options configure a Service. Store and Hub are required.
type Options struct {
	Store Store
	Hub   *hub.Hub // over Store
	// Policy decides who may do what. Default authz.Open.
	Policy authz.Policy
	// Loads is how many snapshots are sent at a time. Default 16.
	Loads int
	// Heartbeat is the longest silence on a watch. Default 10 s.
	Heartbeat time.Duration
	// WatchFor is how long a watch lasts before the client is asked to open another,
	// so that clients spread over routers again. Default 5.5 to 6 min.
	WatchFor time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger
}

// Service is the API as an http.Handler. Make one with New.
type Service struct {
	opts    Options
	mux     http.ServeMux
	served  []string      // method and pattern of each route
	shared  sync.Map      // set -> *shared, for sets that exist
	watches sync.Map      // id -> *watch
	slots   chan struct{} // one per snapshot being sent
	drain   chan struct{} // closed when watchers shall leave
}

// New returns a service.
func New(opts Options) *Service {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Loads <= 0 {
		opts.Loads = 16
	}
	if opts.Heartbeat <= 0 {
		opts.Heartbeat = store.HeartbeatEvery
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{opts: opts, slots: make(chan struct{}, opts.Loads), drain: make(chan struct{})}
	s.routes()
	s.handle("/", func(http.ResponseWriter, *http.Request) error {
		return problem(restwire.Plain(http.StatusNotFound, "no such resource")) // not of kind not-found: no set is missing
	})
	return s
}

// Drain asks all watchers to leave. Call it once, before the server stops.
func (s *Service) Drain() { close(s.drain) }

// ServeHTTP serves the API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// handle serves a pattern: who it is, then what they want, then what went wrong.
func (s *Service) handle(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		defer rescue.Panic(s.opts.Logger, r)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		who, err := authz.Identify(r.Context(), s.opts.Policy, r.Header)
		if err == nil {
			err = ownOrigin(r)
		}
		if err == nil {
			err = h(w, r.WithContext(authz.WithPrincipal(r.Context(), who)))
		}
		if err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *Service) allow(ctx context.Context, a authz.Action, set string) error {
	return s.opts.Policy.Decide(authz.PrincipalOf(ctx), a, set)
}

// allowed asks what the table of permissions demands of a route about a set.
func (s *Service) allowed(r *http.Request) error {
	rule, ok := authz.RuleOf(r.Pattern)
	if !ok {
		return fmt.Errorf("%w: nobody may ask for %s", authz.ErrDenied, r.Pattern)
	}
	return s.allow(r.Context(), rule.Action, r.PathValue("set"))
}

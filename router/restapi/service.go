package restapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Store is what the API reads.
type Store interface {
	flags.Source
	store.History
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
	const sets = "/api/v1/sets"
	s.route(http.MethodGet, sets, s.sets)
	s.route(http.MethodGet, sets+"/{set}/head", s.head)
	s.route(http.MethodGet, sets+"/{set}/snapshot", s.snapshot)
	s.route(http.MethodGet, sets+"/{set}/watch", s.watch)
	s.route(http.MethodGet, sets+"/{set}/history", s.history)
	s.route(http.MethodGet, sets+"/{set}/export", s.export)
	s.route(http.MethodPost, sets+"/{set}/watch/{id}/applied", s.applied)
	s.handle("/", func(http.ResponseWriter, *http.Request) error {
		return problem(restwire.Plain(http.StatusNotFound, "no such resource")) // not of kind not-found: no set is missing
	})
	return s
}

// Drain asks all watchers to leave. Call it once, before the server stops.
func (s *Service) Drain() { close(s.drain) }

// ServeHTTP serves the API.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// route serves one method of a path, and says so to those who come with another.
func (s *Service) route(method, path string, h func(http.ResponseWriter, *http.Request) error) {
	s.handle(method+" "+path, h)
	allow := method
	if method == http.MethodGet {
		allow += ", " + http.MethodHead
	}
	s.handle(path, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allow)
		return problem(restwire.Plain(http.StatusMethodNotAllowed, r.Method+" is not for this resource"))
	})
}

// handle serves a pattern: who it is, then what they want, then what went wrong.
func (s *Service) handle(pattern string, h func(http.ResponseWriter, *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(p)
				}
				s.opts.Logger.ErrorContext(r.Context(), "handler panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				panic(http.ErrAbortHandler) // it may have begun to answer: cut the connection
			}
		}()
		w.Header().Set("X-Content-Type-Options", "nosniff")
		who, err := s.opts.Policy.Authenticate(r.Header.Get("Authorization"))
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

// problemError is an error that says how it is to be answered.
type problemError struct{ restwire.Problem }

func (e *problemError) Error() string { return e.Title + ": " + e.Detail }

func problem(p restwire.Problem) error { return &problemError{p} }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{flags.ErrInvalid}, args...)...)
}

// fail answers with a problem. Handlers return an error only before they answer.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := restwire.FromError(err)
	w.Header().Del("ETag") // of the answer that there would have been
	switch own, large := new(problemError), new(http.MaxBytesError); {
	case errors.As(err, &large):
		p = restwire.Plain(http.StatusRequestEntityTooLarge, err.Error())
	case errors.As(err, &own):
		p = own.Problem
	case errors.Is(err, authz.ErrUnauthenticated):
		p = restwire.Plain(http.StatusUnauthorized, err.Error())
		w.Header().Set("WWW-Authenticate", "Bearer")
	case errors.Is(err, authz.ErrDenied):
		p = restwire.Plain(http.StatusForbidden, err.Error())
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.opts.Logger.WarnContext(r.Context(), "rest: cannot answer", "path", r.URL.Path, "status", p.Status, "err", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, restwire.ProblemType, p.Status, p)
}

package ofrep

import (
	"cmp"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/rescue"
)

// Options configure a Service. Evaluator is required.
type Options struct {
	Evaluator *evaluator.Evaluator
	// Policy tells API keys apart for Rate; it is the evaluator's. Default authz.Open,
	// under which a key proves nothing, so that addresses are counted.
	Policy authz.Policy
	// Rate is how many requests a client (an API key, or else an address) may make per
	// second, in bursts of up to a second's worth; more are answered 429. Default 0: any
	// number. Behind a proxy all clients without keys have one address.
	Rate float64
	// Streams is how many event streams may be open. Default 10,000.
	Streams int
	// Heartbeat is the longest silence on an event stream. Default 20 s.
	Heartbeat time.Duration
	// WriteTimeout is how long a client may take to take an event off our hands, before
	// it is cut off. Default 10 s.
	WriteTimeout time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger

	tagOfSet bool // twin tests: the tag is that of the set, whatever the answer
}

// Service is the protocol as an http.Handler, safe for concurrent use. Make one with New.
type Service struct {
	opts    Options
	limiter *limiter // nil: none
	sheets  sync.Map // set -> *sheet, the newest
	laying  sync.Mutex
	memo    evaluator.Memo[[]byte]
	feeds   feeds
	streams atomic.Int64
	drain   chan struct{} // closed when streams shall end
}

// New returns a service.
func New(opts Options) *Service {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Streams = cmp.Or(opts.Streams, 10_000)
	opts.Heartbeat = cmp.Or(opts.Heartbeat, 20*time.Second)
	opts.WriteTimeout = cmp.Or(opts.WriteTimeout, 10*time.Second)
	return &Service{opts: opts, limiter: newLimiter(opts.Rate), drain: make(chan struct{})}
}

// Drain asks all event streams to end, their clients to come back. Call it once, before
// the server stops.
func (s *Service) Drain() { close(s.drain) }

const (
	bulkPath   = "/ofrep/v1/evaluate/flags"
	eventsPath = "/ofrep/v1/sse"
)

// ServeHTTP serves the protocol. It routes by hand: a flag key may have any character,
// and a mux would clean, redirect and match wildcards for each request.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer rescue.Panic(s.opts.Logger, r)
	rest, evaluates := strings.CutPrefix(r.URL.Path, bulkPath)
	switch {
	case evaluates && (rest == "" || rest == "/"):
		s.serve(w, r, "", http.MethodPost, s.evaluateAll)
	case evaluates && rest[0] == '/':
		s.serve(w, r, rest[1:], http.MethodPost, s.evaluate)
	case strings.TrimSuffix(r.URL.Path, "/") == eventsPath:
		s.serve(w, ticketed(r), "", http.MethodGet, s.events)
	default:
		answer(w, &refusal{status: http.StatusNotFound, details: "no such resource"}, "")
	}
}

// serve does for every request what is the same for all: method, share, errors.
func (s *Service) serve(w http.ResponseWriter, r *http.Request, key, method string, do func(http.ResponseWriter, *http.Request, string) error) {
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = noStore
	if r.Method != method && (method != http.MethodGet || r.Method != http.MethodHead) {
		allow := method
		if method == http.MethodGet {
			allow += ", " + http.MethodHead
		}
		h.Set("Allow", allow)
		answer(w, &refusal{status: http.StatusMethodNotAllowed, details: r.Method + " is not for this resource; want " + allow}, "")
		return
	}
	err := s.admit(r)
	if err == nil {
		err = do(w, r, key)
	}
	if err != nil {
		s.fail(w, r, err, key)
	}
}

// admit takes the request from the client's share.
func (s *Service) admit(r *http.Request) error {
	if s.limiter == nil {
		return nil
	}
	who := addressOf(r.RemoteAddr)
	if _, open := s.opts.Policy.(authz.Open); !open {
		p, err := authz.Identify(r.Context(), s.opts.Policy, r.Header)
		if err == nil && p.Kind != "" {
			who = client{key: p.String()}
		}
	}
	if wait := s.limiter.take(who, time.Now()); wait > 0 {
		return &authz.LimitError{What: "requests", After: wait}
	}
	return nil
}

// Package evaluator answers flags of the router's sets, for the protocols that
// evaluate on the router: who asks, which set they mean, one snapshot for the whole
// request, and what an answer says beside the value. How any of it is encoded is
// the protocols' own.
//
// Each set that somebody asks about is held by a flags.Client over the hub: the
// very evaluation, order of versions and freshness that every SDK has.
package evaluator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/session"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
)

// defaultSet is the set of whoever names none.
const defaultSet = "default"

// RevisionHeader carries tokens: of a request what the answer must not fall behind,
// of an answer what it is from.
const RevisionHeader = session.Header

// loadLimit bounds how long the first request for a set waits until it is compiled.
const loadLimit = 1500 * time.Millisecond

var errClosed = &flags.SourceError{Class: flags.ClassTransient, Op: "evaluate", Err: errors.New("router is shutting down")}

// Options configure an Evaluator. Hub is required.
type Options struct {
	Hub *hub.Hub
	// Policy decides who may do what. Default authz.Open.
	Policy authz.Policy
	// Context is laid over the context of every request. Default: none.
	Context map[string]flags.Value
	// HeaderContext names the attribute that the value of a request header becomes,
	// by header; it wins over Context. Default: none.
	HeaderContext map[string]string
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger

	unscoped bool // twin tests: who may ask for one set may ask for all
}

// Evaluator is safe for concurrent use. Make one with New.
type Evaluator struct {
	opts Options

	sets   atomic.Pointer[map[string]*set] // replaced, never changed
	mu     sync.Mutex                      // of who replaces it
	closed bool
}

// set is a set that was asked about.
type set struct {
	client   *flags.Client
	revision atomic.Pointer[revision]
}

// revision is the text of a snapshot's token, made once.
type revision struct {
	of   *flags.Snapshot
	text string
}

// New returns an evaluator. It follows a set once somebody asks about it.
func New(opts Options) *Evaluator {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Context = maps.Clone(opts.Context)
	canonical := make(map[string]string, len(opts.HeaderContext))
	for header, key := range opts.HeaderContext {
		canonical[http.CanonicalHeaderKey(header)] = key
	}
	opts.HeaderContext = canonical
	e := &Evaluator{opts: opts}
	e.sets.Store(&map[string]*set{})
	return e
}

// Close stops following. Close the hub after it. It is idempotent.
func (e *Evaluator) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for _, s := range *e.sets.Load() {
		_ = s.client.Close() // owns nothing that could fail
	}
}

// Call is one request: which set, and one snapshot of it that all of the request is
// answered from.
type Call struct {
	Who      authz.Principal
	Set      string
	Selector Selector      // as it was said; zero if it was not
	View     flags.View    // at least at the request's token, or its Freshness says that it is not
	Revision string        // token of View, as text; "" if no set is held
	Client   *flags.Client // of the set, for OnChange and Status
}

// Begin finds out who asks (header Authorization), which set they mean (header
// Flagd-Selector, else selector, which is what the request's body says, else the only set
// that they may ask about, else the one called default), whether they may, and what they must not fall behind (header
// Holdfast-Revision).
//
// The error wraps authz.ErrUnauthenticated, authz.ErrLimited or authz.ErrDenied, is a *SelectorError,
// wraps flags.ErrInvalid for a malformed token, or is classified: flags.ClassNotFound
// where there is no such set, or none any more, flags.ClassTransient where nobody can say now. A token that
// cannot be met is none: the view's Freshness is flags.FreshnessNotFresh.
func (e *Evaluator) Begin(ctx context.Context, header http.Header, a authz.Action, selector string) (Call, error) {
	who, err := authz.Identify(ctx, e.opts.Policy, header)
	if err != nil {
		return Call{}, err
	}
	call := Call{Who: who, Set: cmp.Or(who.OnlySet(), defaultSet)}
	if text := cmp.Or(header.Get(SelectorHeader), selector); text != "" {
		if call.Selector, err = ParseSelector(text); err != nil {
			return Call{}, err
		}
		call.Set = cmp.Or(call.Selector.Value, defaultSet)
	}
	if err := e.opts.Policy.Decide(who, a, call.Set); err != nil && !e.opts.unscoped {
		return Call{}, err
	}
	if demands := header[RevisionHeader]; len(demands) > 0 {
		if ctx, err = demand(ctx, demands); err != nil {
			return Call{}, err
		}
	}
	s, err := e.open(ctx, call.Set)
	if err != nil {
		return Call{}, err
	}
	call.Client, call.View = s.client, s.client.View(ctx)
	if call.View.Snapshot() == nil { // it was asked about a moment ago for the first time
		if err := s.load(ctx); err != nil {
			return Call{}, err
		}
		call.View = s.client.View(ctx)
	}
	snap := call.View.Snapshot()
	if snap != nil && snap.Head().Status == flags.StatusDeleted {
		return Call{}, noSet(call.Set) // an empty list of flags would be taken for all there are
	}
	call.Revision = s.textOf(snap)
	return call, nil
}

// Permit returns nil where who makes a request may do a about a set, else an error of
// Begin's that says why not.
func (e *Evaluator) Permit(ctx context.Context, header http.Header, a authz.Action, set string) error {
	who, err := authz.Identify(ctx, e.opts.Policy, header)
	if err != nil {
		return err
	}
	return e.opts.Policy.Decide(who, a, set)
}

// demand returns a context whose views do not fall behind the tokens of a header.
func demand(ctx context.Context, values []string) (context.Context, error) {
	size, n := 0, 0
	for _, v := range values {
		size += len(v)
		for text := range strings.SplitSeq(v, ",") {
			if text = strings.Trim(text, " \t"); text == "" {
				continue
			}
			t, err := flags.ParseToken(text)
			if err != nil {
				return nil, err
			}
			if n++; n > session.MaxSets || size > session.MaxBytes {
				return nil, fmt.Errorf("%w %s: want at most %d tokens of %d bytes together", flags.ErrInvalid, RevisionHeader, session.MaxSets, session.MaxBytes)
			}
			ctx = flags.AtLeast(ctx, t) //nolint:fatcontext // as many as there are tokens, which are few
		}
	}
	return ctx, nil
}

func (e *Evaluator) open(ctx context.Context, name string) (*set, error) {
	if s := (*e.sets.Load())[name]; s != nil {
		return s, nil
	}
	if flags.CheckSetName(name) != nil {
		return nil, noSet(name)
	}
	// Only sets that exist are held, so that made-up names cost one question each.
	if _, err := e.opts.Hub.Open(ctx, name); err != nil {
		if flags.ClassOf(err) == flags.ClassNotFound {
			return nil, noSet(name) // whatever the store says of itself
		}
		return nil, err
	}
	return e.hold(name)
}

func noSet(name string) error {
	return &flags.SourceError{Class: flags.ClassNotFound, Op: "evaluate", Err: fmt.Errorf("there is no flag set %q", name)}
}

func (e *Evaluator) hold(name string) (*set, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := *e.sets.Load()
	if e.closed {
		return nil, errClosed
	}
	if s := old[name]; s != nil {
		return s, nil
	}
	client, err := flags.New(context.Background(), flags.Options{
		Set: name, Primary: flags.Layer{Name: "hub", Source: e.opts.Hub, Watcher: e.opts.Hub},
		StartTimeout: -1, Logger: e.opts.Logger,
	})
	if err != nil {
		return nil, err
	}
	sets := maps.Clone(old)
	sets[name] = &set{client: client}
	e.sets.Store(&sets)
	return sets[name], nil
}

func (s *set) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, loadLimit)
	defer cancel()
	if err := s.client.WaitReady(ctx); err != nil {
		return &flags.SourceError{Class: flags.ClassTransient, Op: "evaluate", Err: err}
	}
	return nil
}

func (s *set) textOf(snap *flags.Snapshot) string {
	if snap == nil {
		return ""
	}
	if r := s.revision.Load(); r != nil && r.of == snap {
		return r.text
	}
	r := &revision{snap, snap.Token().String()}
	s.revision.Store(r)
	return r.text
}

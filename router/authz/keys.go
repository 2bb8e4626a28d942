package authz

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/holdfast-flags/holdfast/store"
)

// KeysOptions configure Keys. Records is required; of the others the zero value is ready
// for production.
type KeysOptions struct {
	// Records are where the keys are.
	Records store.Records
	// Certificates give roles to clients by their certificates; the first that matches.
	Certificates []CertRole
	// PublicSets are what those without credentials may evaluate and follow.
	PublicSets []string
	// Poll is how often the keys are read again, for changes by others. Default 1 s.
	Poll time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger

	sabotage keysSabotage
}

// keysSabotage switches single guards off, so that a test can show that it would notice.
type keysSabotage struct {
	immortal bool // rights do not end with their key
	unscoped bool // sets are not looked at
	unproven bool // any secret will do
	unsealed bool // any ticket will do
}

// Keys is the policy of API keys and client certificates.
//
// All keys are held in memory, so that asking costs a hash and a lookup. They are read
// again once a second: a key made or revoked through another router counts here that
// much later, one through Records of this one at once. While the database cannot be
// asked, the keys known last go on; expiry needs no database.
type Keys struct {
	opts     KeysOptions
	certs    []certified
	failures *failures
	ring     atomic.Pointer[map[string]*entry] // by id; replaced, never changed

	mu sync.Mutex // of who replaces it

	// Run's.
	failing bool                 // the last reading failed
	flushed map[string]time.Time // last use that is noted, by id
}

// entry is a key at work.
type entry struct {
	key     Key
	version uint64
	who     Principal
	limit   *rate.Limiter // nil: none
	end     context.CancelCauseFunc
	release context.CancelFunc // of the timer of its expiry
	used    atomic.Int64       // seconds since 1970
}

var _ Policy = (*Keys)(nil)

// NewKeys reads the keys and returns the policy. Run keeps it current. The error is that
// of the records.
func NewKeys(ctx context.Context, opts KeysOptions) (*Keys, error) {
	opts.Poll = cmp.Or(opts.Poll, time.Second)
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	k := &Keys{opts: opts, certs: certify(opts.Certificates), failures: newFailures(), flushed: map[string]time.Time{}}
	k.ring.Store(&map[string]*entry{})
	return k, k.Reload(ctx)
}

// Authenticate is Policy's. A key goes before a ticket, and both before a certificate: who
// shows one means it.
func (k *Keys) Authenticate(c Credentials) (Principal, error) {
	var e *entry
	var err error
	switch {
	case c.Authorization != "":
		e, err = k.find(c.Authorization)
	case c.Ticket != "":
		e, err = k.findTicket(c.Ticket, c.Set)
	case c.Certificate != nil:
		return principalOf(k.certs, c.Certificate), nil
	default:
		return Principal{}, nil
	}
	if err != nil {
		return Principal{}, k.failures.failed(c.Address, err)
	}
	if after := take(e.limit); after > 0 {
		return Principal{}, &LimitError{What: "requests of this key", After: after}
	}
	e.used.Store(time.Now().Unix())
	if c.Authorization == "" {
		return e.who.holder(c.Set), nil
	}
	return e.who, nil
}

var errUnknownKey = fmt.Errorf("%w: unknown API key", ErrUnauthenticated)

// find returns the key that a header proves to have. That a key has ended is told only to
// who has its secret; whether there is one with this id, to nobody.
func (k *Keys) find(header string) (*entry, error) {
	text, err := bearer(header)
	if err != nil {
		return nil, err
	}
	id, secret, err := parseKey(text)
	if err != nil {
		return nil, err
	}
	e, want := (*k.ring.Load())[id], noHash
	if e != nil {
		want = e.key.Hash
	}
	proven := sameHash(hashOf(secret), want)
	switch {
	case e == nil, !proven && !k.opts.sabotage.unproven:
		return nil, errUnknownKey
	case e.who.life().Err() != nil && !k.opts.sabotage.immortal:
		return nil, context.Cause(e.who.life())
	}
	return e, nil
}

// Decide is Policy's.
func (k *Keys) Decide(p Principal, a Action, set string) error {
	what := a.String()
	if set != "" {
		what += " flag set " + fmt.Sprintf("%.130q", set)
	}
	if p.grant == nil {
		if slices.Contains(anonymous, a) && slices.Contains(k.opts.PublicSets, set) {
			return nil
		}
		return fmt.Errorf("%w: an API key is needed to %s", ErrUnauthenticated, what)
	}
	if life := p.life(); life != nil && life.Err() != nil && !k.opts.sabotage.immortal {
		return context.Cause(life)
	}
	g := p.grant
	if k.opts.sabotage.unscoped {
		g = &grant{role: g.role, only: g.only}
	}
	if !g.allows(a, set) {
		return fmt.Errorf("%w: %s with role %s%s may not %s", ErrDenied, p, g.role, scopeText(g.sets), what)
	}
	return nil
}

func scopeText(sets []string) string {
	switch {
	case len(sets) == 0:
		return ""
	case len(sets) > 3:
		return fmt.Sprintf(" for %d flag sets", len(sets))
	}
	return fmt.Sprintf(" for %q", sets)
}

// Errors that rights end with.
var (
	errRevoked = fmt.Errorf("%w: the API key was revoked", ErrUnauthenticated)
	errExpired = fmt.Errorf("%w: the API key has expired", ErrUnauthenticated)
	errChanged = fmt.Errorf("%w: the API key was changed; connect again", ErrUnauthenticated)
)

// Reload reads the keys now. Rights of keys that were revoked or changed end before it
// returns. On an error the keys are as they were.
func (k *Keys) Reload(ctx context.Context) error {
	k.mu.Lock() // over the reading: what is read first must not replace what was read last
	defer k.mu.Unlock()
	items, err := k.opts.Records.ListRecords(ctx, keyKind)
	if err != nil {
		return err
	}
	old := *k.ring.Load()
	ring := make(map[string]*entry, len(items))
	for _, it := range items {
		if e := old[it.ID]; e != nil && e.version == it.Version {
			ring[it.ID] = e
			continue
		}
		key, err := decodeKey(it.ID, it.Bytes)
		if err != nil {
			k.opts.Logger.Error("an API key cannot be read and counts as none", "err", err)
			continue
		}
		ring[it.ID] = newEntry(*key, it.Version)
	}
	k.ring.Store(&ring)
	for id, e := range old {
		if now := ring[id]; now != e {
			e.retire(now)
		}
	}
	return nil
}

func newEntry(key Key, version uint64) *entry {
	life, end := context.WithCancelCause(context.Background())
	release := context.CancelFunc(func() {})
	if !key.Expires.IsZero() {
		life, release = context.WithDeadlineCause(life, key.Expires, errExpired)
	}
	e := &entry{key: key, version: version, end: end, release: release}
	if key.Rate > 0 {
		e.limit = rate.NewLimiter(rate.Limit(key.Rate), key.Rate)
	}
	if !key.Revoked.IsZero() {
		end(errRevoked)
	}
	e.who = Principal{Kind: "key", ID: key.ID, Name: key.Name, grant: &grant{role: key.Role, sets: key.Sets, life: life, seal: sealOf(key.Hash)}}
	return e
}

// retire ends the rights of a key that was replaced by now; nil: it is gone.
func (e *entry) retire(now *entry) {
	why := errRevoked
	if now != nil && now.key.Revoked.IsZero() {
		why = errChanged
	}
	e.end(why)
	e.release()
}

// Run keeps the keys current, and notes when they were last used, until ctx ends.
func (k *Keys) Run(ctx context.Context) {
	poll, flush := time.NewTicker(k.opts.Poll), time.NewTicker(time.Minute)
	defer poll.Stop()
	defer flush.Stop()
	for {
		select {
		case <-poll.C:
			k.report(ctx, k.Reload(ctx))
		case <-flush.C:
			k.flush(ctx)
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			k.flush(ctx)
			return
		}
	}
}

// report logs when reading begins to fail and when it works again.
func (k *Keys) report(ctx context.Context, err error) {
	if ctx.Err() != nil || k.failing == (err != nil) {
		return
	}
	k.failing = err != nil
	if k.failing {
		k.opts.Logger.WarnContext(ctx, "API keys cannot be read; those known last go on", "err", err)
		return
	}
	k.opts.Logger.InfoContext(ctx, "API keys are read again")
}

// flush notes when each key was last used. What fails is tried again with the next; the
// time of another router that is later stays.
func (k *Keys) flush(ctx context.Context) {
	for id, e := range *k.ring.Load() {
		at := time.Unix(e.used.Load(), 0).UTC()
		if e.used.Load() == 0 || !at.After(k.flushed[id]) {
			continue
		}
		if k.note(ctx, id, at) == nil {
			k.flushed[id] = at
		}
	}
}

func (k *Keys) note(ctx context.Context, id string, at time.Time) error {
	it, err := k.opts.Records.GetRecord(ctx, usedKind, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if was, err := time.Parse(time.RFC3339, string(it.Bytes)); err == nil && !at.After(was) {
		return nil
	}
	it.Kind, it.ID, it.Bytes = usedKind, id, []byte(at.Format(time.RFC3339))
	it.Expires = at.Add(400 * 24 * time.Hour) // long after a key that is gone
	_, err = k.opts.Records.PutRecord(ctx, it)
	return err
}

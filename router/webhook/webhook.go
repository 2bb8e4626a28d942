// Package webhook posts every commit of every set to an address, signed, in the order
// of each set, at least once.
//
// What has been delivered is kept in a cursor for each set, in the store's records. So
// nothing is lost when the receiver, the router or the machine goes down, and nothing is
// queued in memory: what is still to be delivered is what the journal has after the
// cursor. Of several routers on one store one delivers a set at a time; the cursor says
// which, and for how long it has the right.
package webhook

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds.
const (
	leaseFor   = 30 * time.Second       // that a router has a set to itself, from its last delivery; more than an attempt takes
	postLimit  = 10 * time.Second       // for one delivery
	roundLimit = 15 * time.Second       // after which a round leaves the rest to the next
	lookEvery  = 2 * time.Second        // at what another router delivers
	batch      = 16                     // commits that are in memory at a time
	maxBody    = 4 << 20                // bytes; above, the values are left out
	maxAnswer  = 64 << 10               // bytes of an answer that are read
	leastSlack = postLimit + roundLimit // that a lease of leaseFor must have left for it to be used as it is
)

// Journal is what commits are read from.
type Journal interface {
	Sets(ctx context.Context) ([]flags.Head, error)
	Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error)
}

// Options configure a Hook. URL, Secrets, Records and Journal are required.
type Options struct {
	URL     string   // http or https, without user and password
	Secrets [][]byte // what deliveries are signed with; two while one replaces the other
	Records store.Records
	Journal Journal
	// Alone: no other router uses the records, so that nobody waits for the right of one
	// that was killed to run out.
	Alone bool
	// Dial opens connections to the receiver. Default: the net package's, 5 s.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// For tests.
	early bool          // the cursor moves on before the delivery
	lease time.Duration // in the place of leaseFor
	twins bool          // nobody minds whose turn it is
}

// Hook is one receiver of commits. Make one with New. Methods are safe for concurrent
// use, by one caller a set.
type Hook struct {
	opts   Options
	name   string
	id     string // in the names of its records
	me     string // this router, in leases
	client *http.Client

	mu    sync.Mutex
	begun bool

	lastMu sync.Mutex          // not held while anybody is asked anything
	last   map[string]Delivery // by set
}

var errRedirect = errors.New("redirects are not followed")

// New returns a hook; it contacts nobody yet. The error wraps flags.ErrInvalid.
func New(opts Options) (*Hook, error) {
	u, err := CheckURL(opts.URL)
	if err != nil {
		return nil, err
	}
	for _, secret := range opts.Secrets {
		if len(secret) < 16 {
			return nil, fmt.Errorf("%w: a webhook's secret of %d bytes; want 16 at least", flags.ErrInvalid, len(secret))
		}
	}
	if len(opts.Secrets) == 0 {
		return nil, fmt.Errorf("%w: a webhook needs a secret to sign with", flags.ErrInvalid)
	}
	if opts.lease == 0 {
		opts.lease = leaseFor
	}
	if opts.Dial == nil {
		opts.Dial = (&net.Dialer{Timeout: 5 * time.Second}).DialContext
	}
	sum := sha256.Sum256([]byte(opts.URL))
	id := hex.EncodeToString(sum[:8])
	return &Hook{
		opts: opts, id: id, me: rand.Text(), last: map[string]Delivery{},
		name: u.Scheme + "://" + u.Host + " (" + id[:8] + ")",
		client: &http.Client{
			Timeout:       postLimit,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, DialContext: opts.Dial, TLSHandshakeTimeout: 5 * time.Second,
				MaxIdleConnsPerHost: 4, MaxConnsPerHost: 16, IdleConnTimeout: time.Minute,
				MaxResponseHeaderBytes: maxAnswer, DisableCompression: true, ForceAttemptHTTP2: true,
			},
		},
	}, nil
}

// CheckURL reads the address of a receiver. The error wraps flags.ErrInvalid and does
// not repeat the address, which may hold a secret.
func CheckURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https", u.Fragment != "":
		return nil, fmt.Errorf("%w address of a webhook; want http://HOST/PATH or https://HOST/PATH", flags.ErrInvalid)
	case u.User != nil:
		return nil, fmt.Errorf("%w address of a webhook: no user and password; deliveries are signed", flags.ErrInvalid)
	}
	return u, nil
}

// Name returns the receiver without path and query, where secrets may be, and a few
// digits that tell it from others at the same host.
func (h *Hook) Name() string { return h.name }

// Close ends connections that are idle.
func (h *Hook) Close() { h.client.CloseIdleConnections() }

// Locate returns the head that has been delivered last; the zero head of a set that is
// newer than the hook. A set that is there when the hook is first used begins from where it is.
func (h *Hook) Locate(ctx context.Context, set string) (flags.Head, error) {
	if err := h.begin(ctx); err != nil {
		return flags.Head{}, err
	}
	c, err := h.cursor(ctx, set)
	return c.head, err
}

// Bring delivers what leads from the cursor to head, or a good part of it, and returns
// where that has led to. at is where the caller believes the cursor to be.
func (h *Hook) Bring(ctx context.Context, head, at flags.Head) (flags.Head, error) {
	if at.Version == head.Version && at.Lineage == head.Lineage {
		return at, nil
	}
	c, err := h.claim(ctx, head.Set)
	if errors.Is(err, errTaken) {
		return h.standBy(ctx, head)
	}
	for began := time.Now(); err == nil && !c.reached(head) && time.Since(began) < roundLimit; {
		err = h.deliverSome(ctx, c, head, began)
	}
	if later := new(LaterError); errors.As(err, &later) && later.Until.After(c.after) {
		c.after = later.Until // for the other routers, too
		err = errors.Join(err, h.save(ctx, c))
	}
	return c.at(head), err
}

// standBy waits while another router delivers: until it has reached head, or has not
// been heard of for a while.
func (h *Hook) standBy(ctx context.Context, head flags.Head) (flags.Head, error) {
	end := time.NewTimer(roundLimit)
	defer end.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		c, err := h.cursor(ctx, head.Set)
		if err != nil || c.reached(head) || h.free(c, time.Now()) {
			return c.at(head), err
		}
		select {
		case <-look.C:
		case <-end.C:
			return c.head, nil
		case <-ctx.Done():
			return c.head, context.Cause(ctx)
		}
	}
}

// deliverSome delivers the next few commits, each once the cursor is past the one before.
func (h *Hook) deliverSome(ctx context.Context, c *cursor, head flags.Head, began time.Time) error {
	from := flags.Version{}
	if !c.head.Version.IsZero() && c.head.Lineage == head.Lineage {
		from = flags.Version{Epoch: c.head.Epoch, Revision: c.head.Revision + 1}
	}
	commits, err := h.opts.Journal.Commits(ctx, head.Set, from, head.Version, batch)
	if errors.Is(err, store.ErrCompacted) {
		commits, err = h.opts.Journal.Commits(ctx, head.Set, flags.Version{}, head.Version, batch)
	}
	if err != nil {
		return err
	}
	if len(commits) == 0 {
		return fmt.Errorf("webhook: the journal does not have what leads from %s to %s", c.head.Token(), head.Token())
	}
	if missing := gap(c.head, commits[0]); missing != nil {
		if err := h.post(ctx, head.Set, "gap", missing); err != nil {
			return err
		}
		h.note(head.Set, func(d *Delivery) { d.Gaps++ })
	}
	for i := range commits {
		if h.opts.early {
			c.head = commits[i].Head()
			if err := h.save(ctx, c); err != nil {
				return err
			}
		}
		if err := h.post(ctx, head.Set, "commit", eventOf(&commits[i])); err != nil {
			return err
		}
		c.head = commits[i].Head()
		if err := h.save(ctx, c); err != nil {
			return err
		}
		if time.Since(began) >= roundLimit {
			return nil
		}
	}
	return nil
}

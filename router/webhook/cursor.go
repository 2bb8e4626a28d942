package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// errTaken: another router delivers this set now.
var errTaken = errors.New("webhook: another router delivers")

// Kinds of records: one says that a hook has begun, each of the other kind has the
// cursors of one hook, by set.
const (
	hookKind   = "webhooks"
	cursorKind = "webhook-"
)

// cursor is how far a set has been delivered, and who delivers it until when.
type cursor struct {
	item  store.Item
	head  flags.Head // zero: nothing yet
	owner string
	until time.Time
	after time.Time // the receiver asked not to be called before
}

// stored is a cursor's bytes.
type stored struct {
	Head  *restwire.Head `json:"head,omitempty"`
	Owner string         `json:"owner,omitempty"`
	Until time.Time      `json:"until,omitzero"`
	After time.Time      `json:"after,omitzero"`
}

// free reports whether this router may deliver the set.
func (h *Hook) free(c *cursor, now time.Time) bool {
	return h.opts.Alone || h.opts.twins || c.owner == h.me || !now.Before(c.until)
}

// reached reports whether all up to head has been delivered. Another router may have
// seen and delivered more than this one has. Revisions of two histories say nothing of
// each other: a database that lost a set may have one of the same name again.
func (c *cursor) reached(head flags.Head) bool {
	return c.head.Lineage == head.Lineage && !c.head.Version.Before(head.Version)
}

// at returns where the cursor is, as far as head.
func (c *cursor) at(head flags.Head) flags.Head {
	if c.reached(head) {
		return head
	}
	return c.head
}

func (h *Hook) cursor(ctx context.Context, set string) (*cursor, error) {
	it, err := h.opts.Records.GetRecord(ctx, cursorKind+h.id, set)
	if errors.Is(err, store.ErrNotFound) {
		return &cursor{item: store.Item{Kind: cursorKind + h.id, ID: set}, head: flags.Head{Set: set}}, nil
	}
	if err != nil {
		return &cursor{}, err
	}
	return parseCursor(it)
}

func parseCursor(it store.Item) (*cursor, error) {
	var s stored
	err := json.Unmarshal(it.Bytes, &s)
	c := &cursor{item: it, head: flags.Head{Set: it.ID}, owner: s.Owner, until: s.Until, after: s.After}
	if err == nil && s.Head != nil {
		c.head, err = s.Head.ToHead()
	}
	if err != nil {
		return c, fmt.Errorf("%w cursor of %s: %w", flags.ErrFormat, it.ID, err)
	}
	return c, nil
}

// claim takes the right to deliver a set, or returns an error wrapping errTaken.
func (h *Hook) claim(ctx context.Context, set string) (*cursor, error) {
	c, err := h.cursor(ctx, set)
	now := time.Now()
	switch {
	case err != nil:
		return c, err
	case !h.free(c, now):
		return c, errTaken
	case now.Before(c.after):
		return c, &LaterError{c.after, errAsked}
	case c.owner == h.me && c.until.Sub(now) >= h.opts.lease*leastSlack/leaseFor:
		return c, nil
	}
	return c, h.save(ctx, c)
}

// save stores the cursor, and this router's right for a while more. That somebody else
// has stored another one meanwhile is errTaken.
func (h *Hook) save(ctx context.Context, c *cursor) error {
	c.owner, c.until = h.me, time.Now().Add(h.opts.lease)
	it, err := h.put(ctx, c.item, stored{Head: headOf(c.head), Owner: c.owner, Until: c.until.UTC(), After: c.after.UTC()})
	if errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("%w %s: %w", errTaken, c.item.ID, err)
	}
	if err == nil {
		c.item = it
	}
	return err
}

func headOf(h flags.Head) *restwire.Head {
	if h.Version.IsZero() {
		return nil
	}
	m := restwire.FromHead(h)
	return &m
}

func (h *Hook) put(ctx context.Context, it store.Item, s stored) (store.Item, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return it, err
	}
	it.Bytes = data
	return h.opts.Records.PutRecord(ctx, it)
}

// begin notes once and for all where the sets are that are older than the hook: what was
// before is not delivered. That it has been noted is written last, so that a router that
// dies meanwhile does it again; a cursor that is there stays.
func (h *Hook) begin(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.begun {
		return nil
	}
	_, err := h.opts.Records.GetRecord(ctx, hookKind, h.id)
	if errors.Is(err, store.ErrNotFound) {
		err = h.beginNow(ctx)
	}
	h.begun = err == nil
	return err
}

func (h *Hook) beginNow(ctx context.Context) error {
	heads, err := h.opts.Journal.Sets(ctx)
	if err != nil {
		return err
	}
	absent := func(kind, id string, s stored) error {
		_, err := h.put(ctx, store.Item{Kind: kind, ID: id}, s)
		if errors.Is(err, store.ErrConflict) {
			return nil
		}
		return err
	}
	for _, head := range heads {
		if err := absent(cursorKind+h.id, head.Set, stored{Head: headOf(head)}); err != nil {
			return err
		}
	}
	return absent(hookKind, h.id, stored{})
}

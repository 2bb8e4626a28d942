package main

import (
	"context"
	"errors"
	"sort"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// stampView is who changed something, and when.
type stampView struct {
	Token  string    `json:"token"`
	Time   time.Time `json:"time"`
	Actor  string    `json:"actor"`
	Reason string    `json:"reason,omitempty"`
}

func stampOf(c *flags.Commit) *stampView {
	return &stampView{Token: c.Head().Token().String(), Time: c.Time, Actor: actorText(c.Actor), Reason: c.Reason}
}

func (s *stampView) text() string {
	text := s.Time.Local().Format(time.DateTime) + " by " + s.Actor
	if s.Reason != "" {
		text += " (" + s.Reason + ")"
	}
	return text
}

// stamps returns the commits that created an entry and that changed it last. The
// first is nil where the journal does not go back that far.
func stamps(ctx context.Context, h store.History, head flags.Head, e flags.Entry) (created, changed *stampView, err error) {
	there, known := false, true
	note := func(c *flags.Commit) {
		switch c.Op {
		case flags.OpCreate, flags.OpDelete:
			there, known = false, true
		default:
		}
		for _, m := range c.Changes {
			if m.Key != e.Key {
				continue
			}
			changed = stampOf(c)
			if known && !there {
				created = changed
			}
			there, known = m.Bytes != nil, true
		}
	}
	to := flags.Version{Epoch: head.Epoch, Revision: e.Revision}
	err = store.EachCommit(ctx, h, head.Set, flags.Version{Epoch: head.Epoch, Revision: 1}, to, note)
	if errors.Is(err, store.ErrCompacted) {
		known = false
		err = store.EachCommit(ctx, h, head.Set, flags.Version{}, to, note)
	}
	return created, changed, err
}

// changedSince returns the first revision of the epoch whose commit is not older
// than an instant: one more than the head where there is none. It looks at a dozen
// commits, not at all of them.
func changedSince(ctx context.Context, h store.History, head flags.Head, since time.Time) (uint64, error) {
	var failed error
	n := sort.Search(int(head.Revision), func(i int) bool {
		v := flags.Version{Epoch: head.Epoch, Revision: uint64(i) + 1}
		commits, err := h.Commits(ctx, head.Set, v, v, 1)
		switch {
		case errors.Is(err, store.ErrCompacted):
			return false // what is no longer kept is old
		case err != nil:
			failed = err
			return true
		}
		return len(commits) > 0 && !commits[0].Time.Before(since)
	})
	return uint64(n) + 1, failed
}

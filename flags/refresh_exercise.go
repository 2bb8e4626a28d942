package flags

import (
	"context"
	"math/rand/v2"
	"time"
)

const (
	exerciseEvery  = time.Minute // head and digest of the secondary while it is not needed
	exerciseWhole  = time.Hour   // its whole set
	exerciseSpread = 5           // parts of the interval by which the first exercise is spread
	differEvery    = 10 * time.Minute
)

// exerciser tries the secondary out while nobody needs it, so that an outage of the
// primary is not the first time it is read.
type exerciser struct {
	c     *Client
	l     *layer
	whole time.Time // of the last whole set
	held  Head      // at the head before
	told  time.Time // when a difference was logged
}

func (c *Client) exerciseLoop(ctx context.Context) {
	e := &exerciser{c: c, l: c.secondary}
	sleep(ctx, rand.N(exerciseEvery/exerciseSpread)) //nolint:gosec // spreads load, guards nothing
	for ctx.Err() == nil {
		if _, err := c.trouble.get(); !fallsThrough(err) && e.l.stats.due() <= 0 && e.l.lock() {
			// What is wrong is in Status and known to the gate; nobody waits for it.
			_ = e.l.guard(ctx, e.l.Timeout+bulkTimeout, e.once)
			e.l.unlock()
		}
		sleep(ctx, jitter(exerciseEvery))
	}
}

// once compares the head and, when it is time, reads the whole set.
func (e *exerciser) once(ctx context.Context) error {
	head, _, err := e.l.head(ctx)
	if err != nil {
		return err
	}
	e.compare(ctx, head)
	if !e.whole.IsZero() && time.Since(e.whole) < exerciseWhole {
		return nil
	}
	u, err := e.l.fetch(ctx, Head{Set: e.c.opts.Set})
	if err != nil {
		return err
	}
	e.whole = time.Now()
	if _, err = (&keeper{opts: &e.c.opts}).build(&u, false); err != nil {
		e.l.refused(u.Head, Head{}, err, true)
	}
	return unfit(e.l, err)
}

// compare looks at the secondary's head beside what is held.
func (e *exerciser) compare(ctx context.Context, head Head) {
	e.c.keeper.mu.Lock()
	held, lineage := e.c.keeper.haveLocked(), e.c.keeper.lineage
	e.c.keeper.mu.Unlock()
	if lineage != "" && head.Lineage != lineage {
		e.l.stats.update(func(s *LayerStatus) { s.RefusedLineage++ })
		e.tell(ctx, "has another history", head, "following", held.Token().String())
		return
	}
	behind, drift := lag(head, held), held.drifted(head)
	e.l.stats.update(func(s *LayerStatus) {
		s.Lag = behind
		if drift {
			s.Drift++
		}
	})
	if hook := e.l.observe.Compared; hook != nil {
		hook(e.l.Name, behind, drift)
	}
	switch {
	case drift:
		e.tell(ctx, "holds something else at this revision", head, "digest", head.Digest.String(), "held", held.Digest.String())
	case behind > 0 && head.Before(e.held.Version): // not even where we were a minute ago
		e.tell(ctx, "is behind", head, "revisions", behind, "held", held.Token().String())
	}
	e.held = held
}

// tell logs a difference, at most once in ten minutes.
func (e *exerciser) tell(ctx context.Context, what string, head Head, more ...any) {
	if !e.told.IsZero() && time.Since(e.told) < differEvery {
		return
	}
	e.told = time.Now()
	e.c.opts.Logger.WarnContext(ctx, "flags: "+e.l.Name+" "+what, append([]any{"set", e.c.opts.Set, "at", head.Token().String()}, more...)...)
}

// drifted reports whether o is another set at the same version of the same history.
func (h Head) drifted(o Head) bool {
	return h.Lineage == o.Lineage && h.Version == o.Version && (h.Digest != o.Digest || h.Count != o.Count)
}

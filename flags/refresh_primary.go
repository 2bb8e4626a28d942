package flags

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// HeadEvery is how often, at most, a process asks the secondary for its head while the
// primary cannot serve, whatever the number of flag reads. Who holds a set spreads its
// first read over as long.
const HeadEvery = 5 * time.Second

// The cadence of refreshing. Jitter keeps processes that were started, or lost
// their router, together from asking together.
const (
	retryEvery  = time.Second      // without a stream the primary is tried so often
	pollEvery   = HeadEvery        // heads, where there is no stream; also after a refusal that will not pass by itself
	quietAfter  = 25 * time.Second // a stream that says nothing for so long is asked whether it is alive
	maxDrain    = time.Minute      // longest pause that a departing primary may ask for
	minimumWait = 20 * time.Millisecond

	minimumPatience = 500 * time.Millisecond // with a silent stream, whatever the bound on age

	// Processes lose a primary together. Those that can serve meanwhile come back spread
	// over this: after an outage, and after a mere cut.
	returnSpread = 5 * time.Second
	cutSpread    = time.Second
)

var (
	// errDrained: the primary said that it is going away; that is no failure.
	errDrained = errors.New("primary is going away")
	// errUnfit: what a layer has does not add up, or not with what is held. It is not
	// asked again every second; a stream begins again with a whole set.
	errUnfit = errors.New("what it has does not fit")
	// errOpened: to the gate an open stream is no success yet. One that is lost again, or whose
	// contents do not fit, before it was of use would else never open the gate, however often.
	errOpened = &SourceError{Class: ClassCanceled, Op: "watch", Err: errors.New("open, with nothing brought yet")}
)

// jitter spreads d over +-20 %.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1) //nolint:gosec // spreads load, guards nothing
}

// sleep waits for d, or for less where ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// primaryLoop keeps following the primary until ctx ends.
func (c *Client) primaryLoop(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		drain, err := c.primaryTurn(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !errors.Is(err, errDrained) {
			c.trouble.set(err)
			if !fallsThrough(err) {
				c.warn(ctx, err) // nobody below is asked, so nobody else tells
			}
		}
		sleep(ctx, c.primaryPause(time.Since(began), drain, err))
	}
}

// primaryTurn follows the primary once, for as long as that lasts. While the
// gate is not closed the only thing sent is one small read, the probe; the stream
// is opened only after that was answered, so that no load meets a primary that is coming back.
func (c *Client) primaryTurn(ctx context.Context) (drain time.Duration, err error) {
	l := c.primary
	if state, _ := l.Gate.State(); state != GateClosed {
		if err := c.probe(ctx, l); err != nil {
			return 0, err
		}
	}
	if l.Watcher == nil {
		switch err := c.pull(ctx, l); {
		case errors.Is(err, errBusy): // a read's own question is under way, and is as good
			return 0, nil
		case err != nil:
			return 0, err
		}
		c.trouble.clear()
		return 0, nil
	}
	return c.follow(ctx, l)
}

// probe asks for the head, and nothing else. Where it is answered, a process that
// holds a set takes its time for the rest, which is a stream or more: 200 of them must not
// be the next outage of a primary that has just come back.
func (c *Client) probe(ctx context.Context, l *layer) error {
	err := l.guard(ctx, l.Timeout, func(ctx context.Context) error {
		_, _, err := l.head(ctx)
		return err
	})
	if err == nil && !c.keeper.have().Version.IsZero() && !c.opts.guards.Spread {
		sleep(ctx, rand.N(returnSpread)) //nolint:gosec // spreads load, guards nothing
	}
	return err
}

// primaryPause says when to try again.
func (c *Client) primaryPause(took, drain time.Duration, err error) time.Duration {
	state, refused := c.primary.Gate.State()
	switch {
	case errors.Is(err, errDrained):
		return jitter(min(max(drain, minimumWait), maxDrain))
	case err == nil:
		return jitter(c.primary.Poll)
	case ClassOf(err) == ClassNotFound:
		return jitter(retryEvery) // it may be created any moment, and no stream waits for that
	case !fallsThrough(err), errors.Is(err, errUnfit):
		return jitter(pollEvery)
	case state != GateClosed:
		return max(refused, minimumWait)
	case took > retryEvery+c.primary.Timeout && !c.opts.guards.Spread:
		return minimumWait + rand.N(cutSpread) //nolint:gosec // spreads load, guards nothing
	default:
		// Once a second counts from the beginning of a try: one that hung for its
		// whole budget is followed at once, so that the gate opens within 5 s.
		return max(jitter(retryEvery)-took, minimumWait)
	}
}

// follow opens a stream and takes its events until it is lost. The error is
// never nil.
func (c *Client) follow(ctx context.Context, l *layer) (drain time.Duration, err error) {
	life, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := c.openStream(ctx, life, cancel, l)
	if err != nil {
		return 0, err
	}
	l.streaming.Store(true)
	defer l.streaming.Store(false)
	events := receive(stream)
	defer func() {
		_ = stream.Close() // the stream is given up; there is nothing to do about an error
		cancel()
		for range events { // waits for the receiver, so that nothing outlives the client
		}
	}()
	drain, err = c.takeEvents(ctx, l, stream, events)
	if err != nil && ctx.Err() == nil && !errors.Is(err, errDrained) {
		l.answered("stream", 0, err)
		l.Gate.Report(ctx, err)
	}
	return drain, err
}

// openStream opens a stream that lasts as long as life, behind the gate and within
// the budget, which must not bound the stream itself. The gate is given ctx, which a
// budget that ends does not touch: to it that would be a caller who left.
func (c *Client) openStream(ctx, life context.Context, giveUp context.CancelFunc, l *layer) (stream Stream, err error) {
	have := c.keeper.have()
	if c.resync.Swap(false) {
		have = Head{Set: c.opts.Set} // what the stream sent last did not fit: begin with a whole set
	}
	ran := false
	err = l.Gate.RunIfClosed(ctx, func(context.Context) error {
		ran = true
		began := time.Now()
		budget := time.AfterFunc(l.Timeout, giveUp)
		s, err := l.Watcher.Watch(life, l.set, have)
		if late := !budget.Stop(); late {
			if err == nil {
				_ = s.Close()
			}
			err = &SourceError{Class: ClassTransient, Op: l.Name + ": watch", Err: errBudget}
		}
		l.answered("watch", time.Since(began), err)
		if err != nil {
			return err
		}
		stream = s
		if c.opts.guards.Stream {
			return nil
		}
		return errOpened
	})
	switch {
	case stream != nil:
		return stream, nil
	case !ran && ctx.Err() == nil:
		return nil, errRefused
	default:
		return nil, err
	}
}

type received struct {
	Event
	at  time.Time
	err error
}

// receive turns the blocking Next into a channel, which is closed after the error
// that ends the stream.
func receive(stream Stream) <-chan received {
	events := make(chan received)
	go func() {
		defer close(events)
		for {
			ev, err := stream.Next()
			events <- received{Event: ev, at: time.Now(), err: err}
			if err != nil {
				return
			}
		}
	}()
	return events
}

// takeEvents installs what the stream brings.
func (c *Client) takeEvents(ctx context.Context, l *layer, stream Stream, events <-chan received) (time.Duration, error) {
	quiet := time.NewTimer(l.Timeout)
	defer quiet.Stop()
	useful, heard := false, time.Now()
	for first := true; ; first = false {
		var ev received
		select {
		case ev = <-events:
		case <-quiet.C:
			if err := c.stillThere(ctx, l, first); err != nil && time.Since(heard) >= quietAfter {
				return 0, err
			}
			quiet.Reset(c.patience())
			continue
		}
		if ev.err != nil {
			return 0, ev.err
		}
		heard = ev.at
		if ev.RetryAfter > 0 {
			return ev.RetryAfter, errDrained
		}
		switch {
		case ev.Queued:
			quiet.Reset(quietAfter)
			continue // alive, but has not come to us yet
		case ev.Absent:
			c.takeAbsence(ctx, l)
		default:
			if err := c.takeEvent(l, stream, ev); err != nil {
				return 0, err
			}
		}
		quiet.Reset(c.patience())
		if !useful {
			useful = true
			l.Gate.Report(ctx, nil)
		}
	}
}

// patience is how long a stream may say nothing before its primary is asked for its head. Where
// the bound on age is closer than the beats of a stream, what is held would else go stale, and
// strict reads fail, on a stream that is well.
func (c *Client) patience() time.Duration {
	return min(quietAfter, max(c.keeper.bound()/2, minimumPatience))
}

func (c *Client) takeEvent(l *layer, stream Stream, ev received) error {
	if ev.AsOf.IsZero() {
		ev.AsOf = ev.at
	}
	l.stats.brought(&ev.Update)
	err := c.keeper.install(l, ev.Update)
	switch {
	case err == nil:
		c.trouble.clear()
		l.stats.recovered()
		_ = stream.Applied(Ack{Head: ev.Head, Layers: c.layerStates()}) // Next reports a stream that is lost
		return nil
	case errors.Is(err, errOlder):
		return nil // a primary that is behind; what it sends next may be newer
	case err != nil && ClassOf(err) == ClassNotFound:
		return err
	default: // of another lineage, too: what cannot serve this process must not keep the secondary from it
		c.resync.Store(true)
		return unfit(l, err)
	}
}

// takeAbsence notes that there is no such set: an answer, so nobody else is asked, and what is
// held stays. The stream will bring the set at the moment it is created.
func (c *Client) takeAbsence(ctx context.Context, l *layer) {
	err := noSuchSet(l.Name, l.set)
	l.stats.absent(err)
	c.trouble.set(err)
	c.warn(ctx, err)
}

// stillThere asks a quiet stream's primary for its head. A stream that has not even begun
// may be a slow load: the layers below are looked at meanwhile, and what comes late is installed all the same.
func (c *Client) stillThere(ctx context.Context, l *layer, first bool) error {
	if first {
		c.trouble.set(&SourceError{Class: ClassTransient, Op: l.Name + ": watch", Err: errBudget})
		return nil
	}
	var head Head
	var asOf time.Time
	err := l.guard(ctx, l.Timeout, func(ctx context.Context) (err error) {
		head, asOf, err = l.head(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !c.keeper.confirm(l, head, asOf) && c.keeper.have().Before(head.Version) {
		return &SourceError{Class: ClassTransient, Op: l.Name, Err: errors.New("the stream is silent though there is news")}
	}
	return nil
}

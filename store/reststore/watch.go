package reststore

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// Watch is flags.Watcher's.
func (s *Store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	call, release := s.call(ctx)
	w := &watch{
		store: s, op: "reststore: watch " + set, set: set, parent: ctx, call: call, release: release,
		at: have, box: remote.NewMailbox(), acked: make(chan struct{}, 1),
	}
	if err := w.open(); err != nil {
		err = s.classify(ctx, call, w.op, ended(err))
		release()
		return nil, err
	}
	call.Pause()
	w.running.Go(w.pump)
	w.running.Go(w.report)
	return w, nil
}

// watch is an open stream of server-sent events. It brings what is small; what is
// not, it only announces, and that is fetched as by anybody else. A stream is the
// lifetime of one call, so it holds that call's contexts.
type watch struct {
	store   *Store
	op      string
	set     string
	parent  context.Context
	call    *remote.Deadline
	release func()

	id     string // at the router
	body   io.ReadCloser
	events *restwire.EventReader
	first  restwire.Event

	box     *remote.Mailbox
	running sync.WaitGroup
	acked   chan struct{} // holds a token when there is an ack to report

	mu      sync.Mutex
	at      flags.Head // where the reader will be after the events received so far
	asOf    time.Time  // when the router is known to have had at
	ack     *flags.Ack // newest, not reported yet
	pending confirmation
	absent  bool // the router has no such set: there is nothing to confirm
}

// confirmation is that the router had a version at an instant.
type confirmation struct {
	flags.Version
	at time.Time
}

func (w *watch) open() error {
	if flags.CheckSetName(w.set) != nil {
		return errNoSuchName
	}
	query := after(w.at)
	query.Set("form", restwire.FormFrames)
	query.Set(restwire.AbsentParam, "wait")
	id := w.store.opts.Identity
	client := url.Values{}
	for name, value := range map[string]string{"name": id.Name, "language": id.Language, "version": id.Version, "instance": id.Instance} {
		if value != "" {
			client.Set(name, value)
		}
	}
	w.asOf = time.Now() // all that comes was known to the router after this
	resp, err := w.store.do(w.call, request{
		path: []string{w.set, "watch"}, query: query, accept: restwire.EventsType,
		header: map[string]string{restwire.ClientHeader: client.Encode()},
	})
	if err != nil {
		return err
	}
	w.body, w.id = resp.Body, resp.Header.Get(restwire.WatchHeader)
	media, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), restwire.EventsType) {
		err = fmt.Errorf("%w: a watch of type %.40q", flags.ErrFormat, media)
	} else {
		w.events = restwire.NewEventReader(resp.Body)
		w.first, err = w.events.Next()
	}
	if err != nil {
		_ = resp.Body.Close() // err says what was wrong
	}
	return err
}

// ended is what a stream that was closed in good order means to its reader.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("router closed the stream: %w", io.ErrUnexpectedEOF)
	}
	return err
}

// Next is flags.Stream's. What came in while nobody asked is one event.
func (w *watch) Next() (flags.Event, error) { return w.box.Take() }

// pump receives until the stream ends. It runs ahead of Next, so that a slow
// reader is not taken for a silent router, but no further than the mailbox lets it.
func (w *watch) pump() {
	defer w.body.Close()
	ev, err := w.first, error(nil)
	for err == nil {
		if err = w.take(&ev); err != nil {
			break
		}
		w.box.WaitForRoom(w.call.Done())
		w.call.Extend(w.store.opts.BulkTimeout, errSilence)
		ev, err = w.events.Next()
		w.call.Pause()
	}
	var classified *flags.SourceError
	if !errors.As(err, &classified) || w.parent.Err() != nil {
		err = w.store.classify(w.parent, w.call, w.op, ended(err))
	}
	w.box.Fail(err)
	w.call.End(errClosedHere)
}

func (w *watch) take(ev *restwire.Event) error {
	switch ev.Name {
	case restwire.EventCommits:
		raw, err := base64.StdEncoding.AppendDecode(nil, ev.Data)
		if err != nil {
			return fmt.Errorf("%w: %w", flags.ErrFormat, err)
		}
		got, err := restwire.ReadParts(bytes.NewReader(raw), nil)
		if err != nil {
			return err
		}
		return w.follow(got)
	case restwire.EventHeartbeat, restwire.EventReset:
		var beat restwire.Beat
		if err := json.Unmarshal(ev.Data, &beat); err != nil {
			return fmt.Errorf("%w: %w", flags.ErrFormat, err)
		}
		head, err := answered(w.set, &beat.Head)
		if err != nil {
			return err
		}
		w.setAbsent(false)
		if ev.Name == restwire.EventReset {
			return w.catchUp(head, beat.Reason)
		}
		return w.heartbeat(head)
	case restwire.EventAbsent:
		w.setAbsent(true)
		w.box.Put(flags.Event{Absent: true}, 0)
		return nil
	case restwire.EventDrain:
		w.mu.Lock()
		defer w.mu.Unlock()
		w.put(flags.Event{RetryAfter: min(max(ev.Retry, time.Millisecond), longestPause)}, 0)
		return nil
	default: // of a newer router
		return nil
	}
}

func (w *watch) setAbsent(absent bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.absent = absent
}

// put adds to an event where it leads, and passes it on. Callers hold the lock, so
// that no confirmation comes between what is known and what is told.
func (w *watch) put(ev flags.Event, bytes int) {
	if p := w.pending; !w.at.Version.Before(p.Version) && p.at.After(w.asOf) {
		w.asOf = p.at
	}
	ev.Head, ev.AsOf = w.at, w.asOf
	w.box.Put(ev, bytes)
}

// follow takes commits over, without those that a snapshot has brought already.
func (w *watch) follow(got *restwire.Received) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	commits := got.Commits
	for len(commits) > 0 && !w.at.Version.Before(commits[0].Version) {
		commits = commits[1:]
	}
	if len(commits) == 0 {
		return nil
	}
	at, err := remote.Follow(w.at, commits)
	if err != nil {
		return err
	}
	w.at = at
	w.put(flags.Event{Update: flags.Update{Commits: commits}}, got.Bytes)
	return nil
}

func (w *watch) heartbeat(head flags.Head) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if head.Lineage != w.at.Lineage || w.at.Version.Before(head.Version) || w.at.Version == head.Version && w.at.Digest != head.Digest {
		return fmt.Errorf("%w: heartbeat at %s, stream at %s", flags.ErrDigest, head.Token(), w.at.Token())
	}
	w.put(flags.Event{}, 0) // also where a snapshot is ahead of the stream
	return nil
}

// catchUp fetches what leads to where the stream goes on, or past it.
func (w *watch) catchUp(to flags.Head, reason string) error {
	w.mu.Lock()
	have := w.at
	w.mu.Unlock()
	u, size, err := w.store.fetch(w.call, w.op, w.set, have, to.Token())
	if err != nil {
		return err
	}
	if u.Head.Lineage != to.Lineage || u.Head.Version.Before(to.Version) {
		return fmt.Errorf("%w: snapshot of %s, stream at %s", flags.ErrGap, u.Head.Token(), to.Token())
	}
	if u.Checkpoint == nil || have.Version.IsZero() {
		reason = "" // to the reader this is no reset
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = u.Head
	if u.AsOf.After(w.asOf) {
		w.asOf = u.AsOf
	}
	w.put(flags.Event{Update: u, Reset: reason}, size)
	return nil
}

// Applied is flags.Stream's. It is reported soon, and the newest only.
func (w *watch) Applied(ack flags.Ack) error {
	if err := w.call.Err(); err != nil {
		return w.store.classify(w.parent, w.call, w.op, err)
	}
	w.mu.Lock()
	w.ack = &ack
	w.mu.Unlock()
	select {
	case w.acked <- struct{}{}:
	default:
	}
	return nil
}

// report tells the router what the reader has applied, and has it confirm the head
// now and then: what a one-way stream brings could have been on its way for long.
func (w *watch) report() {
	every := time.NewTicker(w.store.opts.ConfirmEvery)
	defer every.Stop()
	for {
		select {
		case <-every.C:
		case <-w.acked:
		case <-w.call.Done():
			return
		}
		w.reportOnce()
	}
}

// reportOnce asks nothing twice: a router that does not answer is noticed by the
// age of what it sent before.
func (w *watch) reportOnce() {
	w.mu.Lock()
	ack, absent := w.ack, w.absent
	w.mu.Unlock()
	if absent {
		return
	}
	asked := time.Now()
	head, age, err := w.send(ack)
	if status := (*statusError)(nil); errors.As(err, &status) && status.status == http.StatusNotFound {
		// Another router than the one that has the stream, behind one address. It can
		// still say where the set is.
		asked, age = time.Now(), 0
		head, err = w.store.Head(w.call, w.set)
		ack = nil
	}
	if err != nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if ack != nil && w.ack == ack {
		w.ack = nil
	}
	w.confirmed(head, asked.Add(-age))
}

func (w *watch) send(ack *flags.Ack) (flags.Head, time.Duration, error) {
	call, release := w.store.call(w.call)
	defer release()
	var report restwire.Applied
	if ack != nil {
		head := restwire.FromHead(ack.Head)
		report = restwire.Applied{Head: &head, Layers: ack.Layers}
	}
	body, err := json.Marshal(report)
	if err != nil {
		return flags.Head{}, 0, err
	}
	var beat restwire.Beat
	r := request{method: http.MethodPost, path: []string{w.set, "watch", url.PathEscape(w.id), "applied"}, body: body}
	if _, err := w.store.getJSON(call, r, maxHead, &beat); err != nil {
		return flags.Head{}, 0, err
	}
	head, err := answered(w.set, &beat.Head)
	return head, microseconds(beat.AgeUs), err
}

// confirmed notes that the router had head at an instant. Callers hold the lock.
func (w *watch) confirmed(head flags.Head, at time.Time) {
	switch {
	case head.Lineage != w.at.Lineage || head.Version == w.at.Version && head.Digest != w.at.Digest:
		return // the stream will say what that means
	case w.at.Version.Before(head.Version):
		w.pending = confirmation{head.Version, at} // holds as soon as the stream is there
		return
	}
	if at.After(w.asOf) {
		w.asOf = at
		w.put(flags.Event{}, 0)
	}
}

// Close is flags.Stream's.
func (w *watch) Close() error {
	w.call.End(errClosedHere)
	w.running.Wait()
	w.release()
	return nil
}

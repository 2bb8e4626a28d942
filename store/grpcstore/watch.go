package grpcstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/internal/remote"
)

// errClosedHere is why a watch ends that its reader closed.
var errClosedHere = errors.New("watch was closed")

// Watch is flags.Watcher's.
func (s *Store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	w := &watch{
		store: s, op: "grpcstore: watch " + set, set: set, parent: ctx, at: have,
		call: remote.NewDeadline(s.outgoing(ctx), s.opts.HeadTimeout, errHeadBudget),
		box:  remote.NewMailbox(),
	}
	if err := w.open(have); err != nil {
		err = s.classify(ctx, w.call, w.op, ended(err))
		w.call.End(errClosedHere)
		return nil, err
	}
	w.running.Go(w.ping)
	w.running.Go(w.pump)
	return w, nil
}

// watch is an open stream. A stream is the lifetime of one call, so it holds
// that call's contexts.
type watch struct {
	store  *Store
	op     string
	set    string
	parent context.Context
	call   *remote.Deadline
	stream grpc.BidiStreamingClient[pb.WatchRequest, pb.WatchResponse]

	// Of open, then of pump.
	at     flags.Head // where the reader will be after the events received so far
	pieces wire.Assembler
	base   *flags.Checkpoint // received, not passed on yet
	reset  string
	asOf   time.Time // when the newest ping was sent that the router has echoed, less what it said it did not know

	box     *remote.Mailbox
	sending sync.Mutex // one sender at a time
	running sync.WaitGroup
	nonce   atomic.Uint64
	sent    [pingsKept]atomic.Pointer[pingSent]
}

// longestRetry bounds how long a router may send its clients away for.
const longestRetry = time.Minute

// pingsKept is how many pings may be under way with their echo still of use.
const pingsKept = 8

type pingSent struct {
	nonce uint64
	at    time.Time
}

func (w *watch) open(have flags.Head) error {
	w.asOf = time.Now() // all that comes was known to the router after this
	stream, err := w.store.flags.Watch(w.call)
	if err != nil {
		return err
	}
	w.stream = stream
	id := w.store.opts.Identity
	hello := &pb.Hello{
		Set: w.set, Have: fromHave(have), Version: wire.Version, Capabilities: []string{wire.CapabilityAbsent},
		Identity: &pb.Identity{Name: id.Name, Language: id.Language, Version: id.Version, Instance: id.Instance},
	}
	if err := w.send(&pb.WatchRequest{Message: &pb.WatchRequest_Hello{Hello: hello}}); err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	return w.take(first)
}

// send hides a failure to send where the stream has ended: Next will say why.
func (w *watch) send(m *pb.WatchRequest) error {
	w.sending.Lock()
	defer w.sending.Unlock()
	if err := w.stream.Send(m); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// ping asks for confirmations of the head until the stream ends.
func (w *watch) ping() {
	every := time.NewTicker(w.store.opts.PingEvery)
	defer every.Stop()
	for {
		n := w.nonce.Add(1)
		w.sent[n%pingsKept].Store(&pingSent{n, time.Now()})
		if w.send(&pb.WatchRequest{Message: &pb.WatchRequest_Ping{Ping: &pb.Ping{Nonce: n}}}) != nil {
			return
		}
		select {
		case <-every.C:
		case <-w.call.Done():
			return
		}
	}
}

// Next is flags.Stream's. What came in while nobody asked is one event.
func (w *watch) Next() (flags.Event, error) { return w.box.Take() }

// pump receives until the stream ends. It runs ahead of Next, so that a slow
// reader is not taken for a silent router, but no further than the mailbox lets it.
func (w *watch) pump() {
	for {
		w.call.Extend(w.store.opts.BulkTimeout, errSilence)
		msg, err := w.stream.Recv()
		if err == nil {
			err = w.take(msg)
		}
		if err != nil {
			w.box.Fail(w.store.classify(w.parent, w.call, w.op, ended(err)))
			w.call.End(errClosedHere)
			return
		}
		w.call.Pause()
		w.box.WaitForRoom(w.call.Done())
	}
}

func (w *watch) take(msg *pb.WatchResponse) error {
	ev, whole, err := w.event(msg)
	if err == nil && whole {
		w.box.Put(ev, proto.Size(msg))
	}
	return err
}

// event returns what msg means to the reader; whole is false while there is more to come.
func (w *watch) event(msg *pb.WatchResponse) (ev flags.Event, whole bool, err error) {
	switch m := msg.GetMessage().(type) {
	case *pb.WatchResponse_Chunk:
		cp, err := w.pieces.Add(m.Chunk)
		if err != nil || cp == nil {
			return ev, false, err
		}
		if cp.Set != w.set {
			return ev, false, fmt.Errorf("%w: asked for set %q, got %s", flags.ErrFormat, w.set, cp.Token())
		}
		// It waits for what comes next, commits or the head as it is now: by itself it may be
		// hundreds of commits old, and nothing says so.
		w.base, w.at = cp, cp.Head
		return ev, false, nil
	case *pb.WatchResponse_Commits:
		if ev.Commits, err = wire.Decode(m.Commits); err != nil {
			return ev, false, err
		}
		if w.at, err = remote.Follow(w.at, ev.Commits); err != nil {
			return ev, false, err
		}
	case *pb.WatchResponse_Heartbeat:
		if m.Heartbeat.GetAbsent() {
			w.echoed(m.Heartbeat)
			return flags.Event{Absent: true}, true, nil
		}
		if ev, whole, err = w.heartbeat(m.Heartbeat); err != nil || ev.Queued {
			return ev, whole, err
		}
	case *pb.WatchResponse_Reset_:
		w.reset = m.Reset_.GetReason()
		return ev, false, nil
	case *pb.WatchResponse_Drain:
		ev.RetryAfter = min(max(wire.ToDuration(m.Drain.GetRetryAfterUs()), time.Millisecond), longestRetry)
	default: // of a newer router
		return ev, false, nil
	}
	ev.Head, ev.AsOf = w.at, w.asOf
	if w.base != nil {
		ev.Checkpoint, ev.Reset = w.base, w.reset
		w.base, w.reset = nil, ""
	}
	return ev, true, nil
}

func (w *watch) heartbeat(m *pb.Heartbeat) (ev flags.Event, whole bool, err error) {
	head, err := answered(w.set, m.GetHead())
	if err != nil {
		return ev, false, err
	}
	if !m.GetQueued() && (head.Version != w.at.Version || head.Digest != w.at.Digest || head.Lineage != w.at.Lineage) {
		return ev, false, fmt.Errorf("%w: heartbeat at %s, stream at %s", flags.ErrDigest, head.Token(), w.at.Token())
	}
	w.echoed(m)
	ev.Head, ev.AsOf, ev.Queued = head, w.asOf, m.GetQueued()
	return ev, true, nil
}

// echoed notes how old what the router sends can be at most.
func (w *watch) echoed(m *pb.Heartbeat) {
	if p := w.sent[m.GetEcho()%pingsKept].Load(); p != nil && p.nonce == m.GetEcho() {
		if at := p.at.Add(-wire.ToDuration(m.GetAgeUs())); at.After(w.asOf) {
			w.asOf = at
		}
	}
}

// Applied is flags.Stream's.
func (w *watch) Applied(ack flags.Ack) error {
	m := &pb.Applied{Head: wire.FromHead(ack.Head), Layers: ack.Layers}
	err := w.send(&pb.WatchRequest{Message: &pb.WatchRequest_Applied{Applied: m}})
	return w.store.classify(w.parent, w.call, w.op, err)
}

// Close is flags.Stream's.
func (w *watch) Close() error {
	w.call.End(errClosedHere)
	w.running.Wait()
	return nil
}

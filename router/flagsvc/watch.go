package flagsvc

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of a watch.
const (
	helloLimit = 5 * time.Second // for the client's first message
	slotLimit  = 5 * time.Second // a slower client gives its place up to the next
	watchFor   = 5*time.Minute + 30*time.Second
	watchExtra = 25 * time.Second // spread, so that a fleet does not come back at once
	drainWait  = time.Second      // spread of the return after a shutdown
)

// watcher is one open watch. Only its sender writes to the stream.
type watcher struct {
	svc    *Service
	stream pb.Flags_WatchServer
	set    *hub.Set // nil until there is one
	have   flags.Head
	life   *time.Timer

	echoed uint64                     // the sender's: nonce in its last heartbeat
	pinged atomic.Uint64              // nonce of the newest ping whose confirmation is done
	member atomic.Pointer[hub.Member] // nil until the set is there
	nudge  chan struct{}              // holds one token while a ping waits for its echo
	gone   chan error                 // what ended the receiver
}

// Watch implements the protocol.
func (s *Service) Watch(stream pb.Flags_WatchServer) error {
	ctx := stream.Context()
	hello, err := firstMessage(stream)
	if err != nil {
		return err
	}
	have, err := s.hello(hello.GetVersion(), hello.GetSet(), hello.GetHave())
	if err != nil {
		return err
	}
	if err := s.allow(ctx, authz.Sync, hello.GetSet()); err != nil {
		return err
	}
	w := &watcher{
		svc: s, stream: stream, have: have, life: time.NewTimer(s.watchFor()),
		nudge: make(chan struct{}, 1), gone: make(chan error, 1),
	}
	defer w.life.Stop()
	// The receiver ends with the stream, which ends when this handler returns.
	go func() { w.gone <- w.receive() }()
	if err := w.serve(ctx, hello); !errors.Is(err, io.EOF) {
		return err
	}
	return nil // the client has closed its side: it is done
}

func (w *watcher) serve(ctx context.Context, hello *pb.Hello) error {
	if err := w.open(ctx, hello); err != nil {
		return err
	}
	w.set.Reach(ctx, w.have)
	member := w.set.Join(hub.Client{
		Identity: identity(hello.GetIdentity()), Address: address(ctx), Principal: authz.PrincipalOf(ctx).String(),
	})
	defer member.Leave()
	w.member.Store(member)
	return w.send()
}

// open finds the set, waiting for it where the client knows what that means.
func (w *watcher) open(ctx context.Context, hello *pb.Hello) error {
	set, err := w.svc.opts.Hub.Open(ctx, hello.GetSet())
	if flags.ClassOf(err) == flags.ClassNotFound && slices.Contains(hello.GetCapabilities(), wire.CapabilityAbsent) {
		return w.await(ctx, hello.GetSet())
	}
	w.set = set
	return wire.FromError(err)
}

// firstMessage waits for the Hello. A client that never says it is cut off.
func firstMessage(stream pb.Flags_WatchServer) (*pb.Hello, error) {
	type first struct {
		msg *pb.WatchRequest
		err error
	}
	got := make(chan first, 1)
	go func() {
		msg, err := stream.Recv()
		got <- first{msg, err}
	}()
	limit := time.NewTimer(helloLimit)
	defer limit.Stop()
	select {
	case f := <-got:
		if f.err != nil {
			return nil, f.err
		}
		if hello := f.msg.GetHello(); hello != nil {
			return hello, nil
		}
		return nil, status.Error(codes.InvalidArgument, "a watch begins with hello")
	case <-limit.C:
		return nil, status.Error(codes.DeadlineExceeded, "no hello")
	}
}

// receive takes what the client says until the stream ends; with io.EOF where the
// client ended it.
func (w *watcher) receive() error {
	for {
		msg, err := w.stream.Recv()
		if err != nil {
			return err
		}
		switch m := msg.GetMessage().(type) {
		case *pb.WatchRequest_Applied:
			head, err := wire.ToHead(m.Applied.GetHead())
			if err != nil {
				return wire.FromError(err)
			}
			if member := w.member.Load(); member != nil {
				member.Applied(flags.Ack{Head: head, Layers: m.Applied.GetLayers()})
			}
		case *pb.WatchRequest_Ping:
			if member := w.member.Load(); member != nil {
				member.Set().Confirm(w.stream.Context())
			}
			w.pinged.Store(m.Ping.GetNonce())
			select {
			case w.nudge <- struct{}{}:
			default:
			}
		case *pb.WatchRequest_Hello:
			return status.Error(codes.InvalidArgument, "hello comes once")
		default: // of a newer client
		}
	}
}

// send delivers what leads on from where the client is until somebody leaves.
func (w *watcher) send() error {
	ctx := w.stream.Context()
	beat := time.NewTicker(w.svc.opts.Heartbeat)
	defer beat.Stop()
	due := true // the first answer is not kept waiting
	for {
		pulse := w.pulse()
		lead := w.set.LeadOn(ctx, w.svc.opts.Store, w.have)
		switch {
		case lead.Closed:
			return w.leave(drainWait)
		case lead.Moves():
			if err := w.deliver(ctx, lead); err != nil {
				return err
			}
			due = w.pinged.Load() != w.echoed
			continue
		case due:
			if err := w.heartbeat(pulse, lead.Head, false); err != nil {
				return err
			}
			due = false
			beat.Reset(w.svc.opts.Heartbeat)
		}
		select {
		case <-lead.Changed:
		case <-w.nudge:
			due = true
		case <-beat.C:
			due = true
		case err := <-w.gone:
			return err
		case <-w.svc.drain:
			return w.leave(drainWait)
		case <-w.life.C:
			return w.leave(time.Millisecond)
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

func (s *Service) watchFor() time.Duration {
	if s.opts.WatchFor > 0 {
		return s.opts.WatchFor
	}
	return watchFor + rand.N(watchExtra)
}

// bulky reports whether a lead is a snapshot or stands for one: it is more than
// what feeds keep, which came from the journal.
func bulky(lead store.Lead) bool { return lead.Base != nil || len(lead.Records) > 512 }

// deliver sends a lead, bulky ones a few at a time.
func (w *watcher) deliver(ctx context.Context, lead store.Lead) error {
	if bulky(lead) {
		release, err := w.slot(ctx)
		if err != nil {
			return err
		}
		defer release()
		// The feed has moved on while this client waited.
		lead = w.set.LeadOn(ctx, w.svc.opts.Store, w.have)
	}
	if lead.Base != nil && lead.Reset != "" {
		reset := &pb.WatchResponse_Reset_{Reset_: &pb.Reset{Reason: lead.Reset}}
		if err := w.stream.Send(&pb.WatchResponse{Message: reset}); err != nil {
			return err
		}
	}
	if err := w.svc.sendLead(w.stream, w.set, lead); err != nil {
		return err
	}
	w.have = lead.Head
	return nil
}

// slot waits for one of the places for initial loads, telling the client so.
func (w *watcher) slot(ctx context.Context) (release func(), err error) {
	slots := w.svc.slots
	select {
	case slots <- struct{}{}:
	default:
		if err := w.queue(ctx); err != nil {
			return nil, err
		}
	}
	// A client that takes its snapshot slowly must not keep the others waiting.
	timer := time.AfterFunc(slotLimit, func() { <-slots })
	return func() {
		if timer.Stop() {
			<-slots
		}
	}, nil
}

func (w *watcher) queue(ctx context.Context) error {
	beat := time.NewTicker(w.svc.opts.Heartbeat)
	defer beat.Stop()
	for {
		if err := w.heartbeat(w.pulse(), w.set.Head(), true); err != nil {
			return err
		}
		select {
		case w.svc.slots <- struct{}{}:
			return nil
		case <-beat.C:
		case err := <-w.gone:
			return err
		case <-w.svc.drain:
			return w.leave(drainWait)
		case <-ctx.Done():
			return status.FromContextError(ctx.Err()).Err()
		}
	}
}

// pulse is what a heartbeat says besides the head. It is taken before the head
// is looked up, so that the head is never said to be newer than was known.
type pulse struct {
	echo uint64
	asOf time.Time
}

func (w *watcher) pulse() pulse { return pulse{echo: w.pinged.Load(), asOf: w.set.AsOf()} }

func (w *watcher) heartbeat(p pulse, head flags.Head, queued bool) error {
	w.echoed = p.echo
	return w.stream.Send(&pb.WatchResponse{Message: &pb.WatchResponse_Heartbeat{Heartbeat: &pb.Heartbeat{
		Head: wire.FromHead(head), Echo: p.echo, Queued: queued, AgeUs: wire.Age(p.asOf, time.Now()),
	}}})
}

// leave tells the client to come back after up to spread, and ends the watch.
func (w *watcher) leave(spread time.Duration) error {
	after := time.Millisecond + rand.N(spread)
	err := w.stream.Send(&pb.WatchResponse{Message: &pb.WatchResponse_Drain{
		Drain: &pb.Drain{RetryAfterUs: wire.FromDuration(after)},
	}})
	if err != nil {
		return err
	}
	return status.Error(codes.Unavailable, "draining")
}

func identity(m *pb.Identity) hub.Identity {
	return hub.Identity{Name: m.GetName(), Language: m.GetLanguage(), Version: m.GetVersion(), Instance: m.GetInstance()}
}

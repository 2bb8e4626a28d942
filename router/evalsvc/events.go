package evalsvc

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"connectrpc.com/connect"

	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// Events without data are the same for everybody.
var (
	providerReady    = plainEvent("provider_ready")
	keepAlive        = plainEvent("keep_alive")
	providerShutdown = plainEvent("provider_shutdown")
)

// events serves an event stream. All versions of it are the same on the wire.
func events(s *Service, procedure string) {
	h := connect.NewServerStreamHandler(procedure, s.eventStream, s.handling()...)
	s.handlers[procedure] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t := &timely{ResponseWriter: w, conn: http.NewResponseController(w), limit: s.opts.WriteTimeout}
		// The limits of the server are those of an answer that ends. Where the
		// connection has no deadlines, nobody needs to lift them.
		_, _ = t.conn.SetReadDeadline(time.Time{}), t.conn.SetWriteDeadline(time.Time{})
		defer t.arm() // for what the server has yet to say
		h.ServeHTTP(t, r)
	})
}

var errShutdown = errors.New("router is shutting down")

// timely is a response that ends if the client does not take what is written in time.
type timely struct {
	http.ResponseWriter
	conn  *http.ResponseController
	limit time.Duration
}

func (t *timely) arm() { _ = t.conn.SetWriteDeadline(time.Now().Add(t.limit)) }

// disarm is needed because on HTTP/2 a deadline ends streams that are merely silent.
func (t *timely) disarm() { _ = t.conn.SetWriteDeadline(time.Time{}) }

// Write is http.ResponseWriter's.
func (t *timely) Write(p []byte) (int, error) {
	t.arm()
	defer t.disarm()
	return t.ResponseWriter.Write(p)
}

// Flush is http.Flusher's.
func (t *timely) Flush() {
	t.arm()
	defer t.disarm()
	_ = t.conn.Flush() // the next Write reports what is wrong
}

// Unwrap is for http.ResponseController.
func (t *timely) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// eventStream tells a client what changes until it leaves or is told to.
func (s *Service) eventStream(ctx context.Context, req *connect.Request[v2.EventStreamRequest], out *connect.ServerStream[event]) error {
	select {
	case <-s.drain:
		return connect.NewError(connect.CodeUnavailable, errShutdown) // READY for a moment helps nobody
	default:
	}
	call, err := s.begin(ctx, req.Header())
	if err != nil && (connect.CodeOf(err) != connect.CodeNotFound || strings.TrimSpace(req.Header().Get(evaluator.SelectorHeader)) != "") {
		return err
	}
	// Who named no set need not mean the default one, which may not be there: see listen.
	sub, stop := s.listen(ctx, &call, req.Header()) // before it is ready, so that nothing is missed in between
	defer stop()
	if call.Revision != "" {
		out.ResponseHeader()[evaluator.RevisionHeader] = []string{call.Revision}
	}
	if err := s.send(out, providerReady); err != nil {
		return err
	}
	silence := time.NewTimer(s.opts.KeepAlive)
	defer silence.Stop()
	for {
		ev := keepAlive
		select {
		case <-sub.wake:
			n := sub.take()
			if n == nil {
				continue // it was taken with the one before
			}
			ev = n.event
		case <-silence.C:
		case <-s.drain:
			if err := s.send(out, providerShutdown); err != nil {
				return err
			}
			// A stream that ends well is left as it is by flagd's provider for JavaScript,
			// which would go on answering from its cache for good: only an error makes it
			// come back. The others come back either way.
			return connect.NewError(connect.CodeUnavailable, errShutdown)
		case <-ctx.Done():
			if cause := context.Cause(ctx); errors.Is(cause, authz.ErrUnauthenticated) {
				return refusal(cause) // the key has ended
			}
			return ctx.Err()
		}
		if err := s.send(out, ev); err != nil {
			return err
		}
		silence.Reset(s.opts.KeepAlive)
	}
}

// send waits for this client and for no other.
func (s *Service) send(out *connect.ServerStream[event], ev *event) error {
	if s.opts.sabotage.inTurn {
		s.turn <- struct{}{}
		defer func() { <-s.turn }()
	}
	return out.Send(ev)
}

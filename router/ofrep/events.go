package ofrep

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// setParam names the set of an event stream, as flagd calls it: browsers' EventSource
// sends no headers.
const setParam = "channels"

// ticketParam is what stands for the API key of a page there: see authz.Principal.Ticket.
const ticketParam = "ticket"

// returnSpread is over how long the clients of a router that stops come back, in
// milliseconds, to the others.
const returnSpread = 3000

var beat = []byte(": still here\n\n")

// stream is one open event stream.
type stream struct {
	svc  *Service
	out  http.ResponseWriter
	conn *http.ResponseController
}

// events streams that there is something new to fetch. A client that is where the set
// is (Last-Event-ID) hears nothing until the next change; any other is told to fetch at
// once, since between its last answer and the stream something may have changed.
func (s *Service) events(w http.ResponseWriter, r *http.Request, _ string) error {
	ctx := r.Context()
	call, err := s.opts.Evaluator.Begin(ctx, r.Header, authz.Evaluate, selectorOf(r))
	if err != nil {
		return err
	}
	if s.streams.Add(1) > int64(s.opts.Streams) {
		s.streams.Add(-1)
		w.Header().Set("Retry-After", "10")
		return &refusal{status: http.StatusServiceUnavailable, details: "too many event streams are open"}
	}
	defer s.streams.Add(-1)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // asks proxies to pass events on as they come
	h[evaluator.RevisionHeader] = []string{call.Revision}
	if r.Method == http.MethodHead {
		return nil
	}
	st := &stream{svc: s, out: w, conn: http.NewResponseController(w)}
	// The limits of the server are those of an answer that ends.
	_ = st.conn.SetReadDeadline(time.Time{})
	fd := s.feeds.join(ctx, call.Client)
	defer s.feeds.leave(call.Client, fd)
	st.run(ctx, fd, r.Header.Get("Last-Event-ID"))
	return nil
}

// ticketed returns a request that may be let in by the ticket in its URL, for the set there.
func ticketed(r *http.Request) *http.Request {
	q := r.URL.Query()
	ticket := q.Get(ticketParam)
	if ticket == "" {
		return r
	}
	return r.WithContext(authz.WithTicket(r.Context(), ticket, q.Get(setParam)))
}

func selectorOf(r *http.Request) string {
	if set := r.URL.Query().Get(setParam); set != "" {
		return "flagSetId=" + set
	}
	return ""
}

// run sends what there is until somebody leaves.
func (st *stream) run(ctx context.Context, fd *feed, seen string) {
	beats := time.NewTicker(st.svc.opts.Heartbeat)
	defer beats.Stop()
	due := true // the first word is not kept waiting: it is what opens the stream
	for {
		n := fd.newest.Load()
		var err error
		switch {
		case n.revision != seen:
			err = st.send(n.event)
			seen, due = n.revision, false
		case due:
			err = st.send(beat)
			due = false
		}
		if err != nil {
			return // gone, or too slow
		}
		select {
		case <-n.outdated:
		case <-beats.C:
			due = true
		case <-st.svc.drain:
			_ = st.send([]byte("retry: " + strconv.Itoa(1+rand.IntN(returnSpread)) + "\n\n")) // it ends either way
			return
		case <-ctx.Done():
			return
		}
	}
}

func (st *stream) send(text []byte) error {
	_ = st.conn.SetWriteDeadline(time.Now().Add(st.svc.opts.WriteTimeout)) // where the connection has deadlines
	if _, err := st.out.Write(text); err != nil {
		return err
	}
	return st.conn.Flush()
}

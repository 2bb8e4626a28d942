package restapi

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of a watch.
const (
	writeLimit = 10 * time.Second // for an event to be taken off our hands; a slower client is cut off and resumes
	eventLimit = 1 << 20          // bytes of commits in one event; what is more is left to a snapshot
	watchFor   = 5*time.Minute + 30*time.Second
	watchExtra = 25 * time.Second // spread, so that a fleet does not come back at once
	drainWait  = time.Second      // spread of the return after a shutdown
)

// watch is one open watch. It is a place in the set's feed and no queue: a client
// that reads slowly gets all it missed in one piece, or is sent to the snapshot.
type watch struct {
	svc    *Service
	out    io.Writer
	conn   *http.ResponseController
	set    *hub.Set // nil until there is one
	member *hub.Member
	who    authz.Principal
	frames bool
	after  string // where the client says it is
	digest string
	have   flags.Head
	life   *time.Timer
}

func (s *Service) watch(w http.ResponseWriter, r *http.Request) error {
	ctx, q := r.Context(), r.URL.Query()
	wt := &watch{
		svc: s, out: w, conn: http.NewResponseController(w), who: authz.PrincipalOf(ctx),
		frames: q.Get("form") == restwire.FormFrames, after: q.Get("after"), digest: q.Get("digest"),
	}
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		wt.after, wt.digest = last, "" // of a client that comes back by itself, with the query it began with
	}
	created, forget, err := wt.open(w, r)
	if err != nil {
		return err
	}
	defer forget()
	id := rand.Text()
	h := w.Header()
	h.Set("Content-Type", restwire.EventsType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no") // asks proxies to pass events on as they come
	h.Set(restwire.WatchHeader, id)
	if r.Method == http.MethodHead {
		return nil
	}
	// The limits of the server are those of an answer that ends.
	_ = wt.conn.SetReadDeadline(time.Time{})
	wt.life = time.NewTimer(s.watchFor())
	defer wt.life.Stop()
	if wt.set == nil && !wt.await(ctx, r.PathValue("set"), created) {
		return nil
	}
	wt.member = wt.set.Join(hub.Client{Identity: identity(r.Header.Get(restwire.ClientHeader)), Address: r.RemoteAddr, Principal: wt.who.String()})
	defer wt.member.Leave()
	s.watches.Store(id, wt)
	defer s.watches.Delete(id)
	wt.run(ctx)
	return nil
}

func identity(header string) hub.Identity {
	said, err := url.ParseQuery(header)
	if err != nil {
		return hub.Identity{}
	}
	return hub.Identity{
		Name: said.Get("name"), Language: said.Get("language"), Version: said.Get("version"), Instance: said.Get("instance"),
	}
}

// run delivers what leads on from where the client is until somebody leaves.
func (w *watch) run(ctx context.Context) {
	beat := time.NewTicker(w.svc.opts.Heartbeat)
	defer beat.Stop()
	due := true // the first answer is not kept waiting
	for {
		asOf := w.set.AsOf() // before the head, so that the head is never said to be newer than was known
		lead := w.set.LeadOn(ctx, w.svc.opts.Store, w.have)
		var err error
		switch {
		case lead.Closed:
			w.leave(drainWait)
			return
		case lead.Moves():
			err = w.deliver(lead)
			w.have, due = lead.Head, false
		case due:
			err = w.say(restwire.EventHeartbeat, restwire.Beat{Head: restwire.FromHead(lead.Head), AgeUs: ageOf(asOf)}, 0)
			due = false
		}
		if err != nil {
			return // gone, or too slow
		}
		select {
		case <-lead.Changed:
		case <-beat.C:
			due = true
		case <-w.svc.drain:
			w.leave(drainWait)
			return
		case <-w.life.C:
			w.leave(time.Millisecond)
			return
		case <-ctx.Done():
			return
		}
	}
}

func (s *Service) watchFor() time.Duration {
	if s.opts.WatchFor > 0 {
		return s.opts.WatchFor
	}
	return watchFor + mathrand.N(watchExtra)
}

func ageOf(asOf time.Time) uint64 { return uint64(max(time.Since(asOf), 0).Microseconds()) }

// deliver sends commits, or says that they are for a snapshot to bring.
func (w *watch) deliver(lead store.Lead) error {
	size := 0
	for _, r := range lead.Records {
		size += len(r.Bytes)
	}
	if lead.Base != nil || size > eventLimit {
		return w.say(restwire.EventReset, restwire.Beat{Head: restwire.FromHead(lead.Head), Reason: lead.Reset}, 0)
	}
	text, err := w.svc.sharedOf(w.set.Name()).event(lead.Records, w.frames)
	if err != nil {
		return err
	}
	return w.send(text)
}

// leave tells the client to come back after up to spread.
func (w *watch) leave(spread time.Duration) {
	after := time.Millisecond + mathrand.N(spread)
	if w.have.Version.IsZero() {
		_ = w.send((&restwire.Event{Name: restwire.EventDrain, Data: []byte("{}"), Retry: after}).Append(nil))
		return
	}
	_ = w.say(restwire.EventDrain, restwire.Beat{Head: restwire.FromHead(w.have)}, after) // it leaves either way
}

func (w *watch) say(name string, b restwire.Beat, retry time.Duration) error {
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	ev := restwire.Event{ID: b.Head.Token, Name: name, Data: data, Retry: retry}
	return w.send(ev.Append(nil))
}

func (w *watch) send(text []byte) error {
	_ = w.conn.SetWriteDeadline(time.Now().Add(writeLimit)) // where the connection has deadlines
	if _, err := w.out.Write(text); err != nil {
		return err
	}
	return w.conn.Flush()
}

// maxReport is the most that a client may say of itself at a time, in bytes.
const maxReport = 64 << 10

// applied takes a report of what the client of a watch answers from, and says
// where the set is: asked of the store after the report came in, or nearly so.
func (s *Service) applied(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := s.allowed(r); err != nil {
		return err
	}
	v, _ := s.watches.Load(r.PathValue("id"))
	wt, ok := v.(*watch)
	if !ok || wt.set.Name() != r.PathValue("set") || wt.who != authz.PrincipalOf(ctx) {
		return problem(restwire.Plain(http.StatusNotFound, "no such watch at this router"))
	}
	if media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); media != "application/json" {
		// A page of another site cannot send this without being asked first.
		return problem(restwire.Plain(http.StatusUnsupportedMediaType, "want application/json"))
	}
	var report restwire.Applied
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxReport)).Decode(&report); err != nil {
		return fmt.Errorf("%w report: %w", flags.ErrInvalid, err)
	}
	if report.Head != nil {
		head, err := report.Head.ToHead()
		if err != nil || head.Set != wt.set.Name() {
			return invalid("report of %q, watching %q (%v)", head.Set, wt.set.Name(), err)
		}
		wt.member.Applied(flags.Ack{Head: head, Layers: report.Layers})
	}
	wt.set.Confirm(ctx)
	asOf, head := wt.set.AsOf(), wt.set.Head()
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(restwire.RevisionHeader, head.Token().String())
	writeJSON(w, "application/json", http.StatusOK, restwire.Beat{Head: restwire.FromHead(head), AgeUs: ageOf(asOf)})
	return nil
}

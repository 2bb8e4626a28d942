package restapi

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// open finds the set of a watch and where the client is in it. Where the set is not there,
// and the client can wait for it, it returns what is closed once it is created. forget is
// to be called in the end.
func (w *watch) open(out http.ResponseWriter, r *http.Request) (created <-chan struct{}, forget func(), err error) {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	forget = func() {}
	head, err := w.svc.at(ctx, out, r)
	if err == nil {
		return nil, forget, w.locate(ctx, head)
	}
	set, waits := r.PathValue("set"), r.URL.Query().Has(restwire.AbsentParam) && r.Header.Get(restwire.RevisionHeader) == ""
	if !waits || flags.ClassOf(err) != flags.ClassNotFound {
		return nil, forget, err
	}
	if _, err := w.svc.have(ctx, nil, flags.Head{Set: set}, w.after, w.digest); err != nil {
		return nil, forget, err // nobody could be told once the stream has begun
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr) // none within one process
	created, leave, ok := w.svc.opts.Hub.Await(set, w.who.String()+" "+host)
	if !ok {
		return nil, forget, err
	}
	return created, leave, nil
}

// locate finds the place in the set that the stream begins from.
func (w *watch) locate(ctx context.Context, head flags.Head) (err error) {
	if w.set, err = w.svc.opts.Hub.Open(ctx, head.Set); err != nil {
		return err
	}
	w.set.Reach(ctx, head)
	w.have, err = w.svc.have(ctx, w.set, head, w.after, w.digest)
	return err
}

// await says that there is no such set until there is. It returns false where the
// watch has ended.
func (w *watch) await(ctx context.Context, name string, created <-chan struct{}) bool {
	beat := time.NewTicker(w.svc.opts.Heartbeat)
	defer beat.Stop()
	absent := (&restwire.Event{Name: restwire.EventAbsent, Data: []byte("{}")}).Append(nil)
	for w.send(absent) == nil {
		select {
		case <-created:
			set, err := w.svc.opts.Hub.Open(ctx, name)
			return err == nil && w.locate(ctx, set.Head()) == nil
		case <-beat.C:
		case <-w.svc.drain:
			w.leave(drainWait)
			return false
		case <-w.life.C:
			w.leave(time.Millisecond)
			return false
		case <-ctx.Done():
			return false
		}
	}
	return false
}

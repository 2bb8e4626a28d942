package adminweb

import (
	"fmt"
	"net/http"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Bounds of a page that follows its set.
const (
	liveFor  = 10 * time.Minute // then it asks again, which the browser does by itself
	liveBeat = 10 * time.Second
	liveSend = 10 * time.Second // for an event to be taken; a slower browser is cut off and comes back
)

// live tells a page, by server-sent events, at which revision its set is. The page
// asks for what it shows itself: an event is a few bytes however much has changed.
func (v *visit) live() error {
	b, err := v.board(v.ctx, v.set)
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // asks proxies to pass events on as they come
	conn := http.NewResponseController(v.w)
	_ = conn.SetReadDeadline(time.Time{}) // the limits of the server are those of an answer that ends
	end := time.NewTimer(liveFor)
	defer end.Stop()
	beat := time.NewTicker(liveBeat)
	defer beat.Stop()
	for {
		lead := b.set.Lead(flags.Head{})
		if lead.Closed || !v.stillWelcome() {
			return nil
		}
		_ = conn.SetWriteDeadline(time.Now().Add(liveSend)) // where the connection has deadlines
		if _, err := fmt.Fprintf(v.w, "retry: 1000\nevent: head\ndata: %s\n\n", lead.Head.Version); err != nil || conn.Flush() != nil {
			return nil // the browser is gone
		}
		select {
		case <-lead.Changed:
		case <-beat.C:
		case <-end.C:
			return nil
		case <-v.drain:
			return nil
		case <-v.ctx.Done():
			return nil
		}
	}
}

// stillWelcome reports whether the login that a page follows its set with is good.
func (v *visit) stillWelcome() bool { return v.authenticate(false) == nil }

package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// Headers of a delivery.
const (
	EventHeader     = "Holdfast-Event"    // commit or gap
	DeliveryHeader  = "Holdfast-Delivery" // the same each time that this is delivered
	SignatureHeader = "Holdfast-Signature"
)

// event is what is posted: a commit as the REST API's history has it.
type event struct {
	restwire.Commit
	Set           string `json:"set"`
	ValuesOmitted bool   `json:"valuesOmitted,omitempty"` // too large; the history has them
}

// lost is posted in the place of commits that the journal does not have any more.
type lost struct {
	Set   string `json:"set"`
	After string `json:"after,omitempty"` // token of the last one delivered
	Next  string `json:"next"`            // token of what is delivered next
}

func (e *event) id() string { return e.ID }
func (l *lost) id() string  { return "gap:" + l.After + ":" + l.Next }

func eventOf(c *flags.Commit) *event {
	e := &event{Commit: restwire.FromCommit(c), Set: c.Set}
	size := 0
	for i := range e.Changes {
		size += len(e.Changes[i].Value) + len(e.Changes[i].Name)
	}
	if size > maxBody {
		e.ValuesOmitted = true
		for i := range e.Changes {
			e.Changes[i].Value = nil
		}
	}
	return e
}

// gap returns what is to be said of commits that are missing between what has been
// delivered and what the journal has next, else nil.
func gap(at flags.Head, next flags.Commit) *lost {
	follows := at.Version.IsZero() || at.Lineage == next.Lineage
	if want, err := at.NextVersion(next.Op); err == nil && want == next.Version && follows {
		return nil
	}
	l := &lost{Set: next.Set, Next: next.Head().Token().String()}
	if !at.Version.IsZero() {
		l.After = at.Token().String()
	}
	return l
}

// post delivers one event: whatever is no 2xx is a failure, to be tried again.
func (h *Hook) post(ctx context.Context, set, kind string, e interface{ id() string }) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.opts.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("webhook: bad address")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "holdfast-webhook")
	req.Header.Set(EventHeader, kind)
	req.Header.Set(DeliveryHeader, e.id())
	req.Header.Set(SignatureHeader, Sign(body, time.Now(), h.opts.Secrets...))
	answer, err := h.client.Do(req)
	h.noteAnswer(set, answer)
	if err != nil {
		var withURL *url.Error // in the path and query of which there may be a secret
		if errors.As(err, &withURL) {
			err = withURL.Err
		}
		return fmt.Errorf("webhook: post to %s: %w", h.name, err)
	}
	defer func() { _ = answer.Body.Close() }()                         // it has been read as far as it matters
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, maxAnswer)) // so that the connection can be used again
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return nil
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		err = fmt.Errorf("webhook: %s answered %d: %w", h.name, answer.StatusCode, errRedirect)
	default:
		err = fmt.Errorf("webhook: %s answered %d", h.name, answer.StatusCode)
	}
	if wait := retryAfter(answer.Header.Get("Retry-After"), time.Now()); wait > 0 {
		return &LaterError{time.Now().Add(wait), err}
	}
	return err
}

package ofrep

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// configParam is the query parameter in which a client hands back what an event said.
// What ours say is a token, so that the answer is never older than the event, whichever
// router gives it.
const configParam = "flagConfigEtag"

// evaluateAll answers all flags of the set.
func (s *Service) evaluateAll(w http.ResponseWriter, r *http.Request, _ string) error {
	b := newBuffer()
	defer b.free()
	own, err := b.scope(r)
	if err != nil {
		return err
	}
	call, err := s.opts.Evaluator.Begin(r.Context(), demanding(r), authz.Evaluate, "")
	if err != nil {
		return err
	}
	etag := s.appendAll(b, &call, s.opts.Evaluator.Context(own, r.Header))
	if s.opts.tagOfSet {
		etag = `"` + call.Revision + `"`
	}
	h := w.Header()
	h[evaluator.RevisionHeader] = []string{call.Revision}
	h["Etag"] = []string{etag}
	if matches(r.Header["If-None-Match"], etag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	send(w, http.StatusOK, b.out)
	return nil
}

// appendAll puts the answer into b.out and returns its tag.
func (s *Service) appendAll(b *buffer, call *evaluator.Call, ec flags.EvaluationContext) (etag string) {
	sh := s.sheetOf(call)
	// Many rules are going to ask: attributes with interned names pay from a few flags on.
	ec = flags.FromValue(ec.Value())
	b.out = append(b.out, `{"flags":[`...)
	fresh := call.View.Freshness() == flags.FreshnessFresh
	if fresh {
		b.sums = append(b.sums, sh.fixed[:]...)
	}
	for i := range sh.lines {
		if l := &sh.lines[i]; fresh && l.fixed != nil {
			b.out = append(b.out, l.fixed.text...)
		} else {
			l.row.append(b, call.View, ec)
		}
	}
	end := sh.ending(call)
	b.sums = append(b.sums, end.sum[:]...)
	b.out = append(bytes.TrimSuffix(b.out, comma), end.text[:end.ticket]...)
	if ticket := call.Who.Ticket(call.Set); ticket != "" {
		b.out = append(append(b.out, "&"+ticketParam+"="...), ticket...)
		// A 304 would leave the client with a ticket that has expired, or is of another key.
		b.sums = append(b.sums, ticket...)
	}
	b.out = append(append(b.out, end.text[end.ticket:]...), end.revision...)
	return etagOf(b.sums)
}

// ending is what follows the flags.
type ending struct {
	selector  evaluator.Selector
	freshness flags.Freshness
	text      []byte // ],"eventStreams":[...],"metadata":{...
	ticket    int    // where in text that of a caller goes: it is shared by all
	revision  []byte // ,"holdfastRevision":"..."}}
	sum       sum    // of text
}

// ending returns the ending of a call's answer. Nearly always it is the last one's.
func (sh *sheet) ending(call *evaluator.Call) *ending {
	e := sh.end.Load()
	if e == nil || e.selector != call.Selector || e.freshness != call.View.Freshness() {
		e = newEnding(call)
		sh.end.Store(e)
	}
	return e
}

func newEnding(call *evaluator.Call) *ending {
	e := &ending{selector: call.Selector, freshness: call.View.Freshness()}
	// The same URL in each answer, but for the ticket: a client keeps the stream that it has.
	e.text = append(e.text, `],"eventStreams":[{"type":"sse","endpoint":{"requestUri":`...)
	e.text = appendText(e.text, eventsPath+"?"+setParam+"="+url.QueryEscape(call.Set))
	e.ticket = len(e.text) - len(`"`)
	e.text = append(e.text, `},"inactivityDelaySec":120}],"metadata":{`...)
	for name, v := range call.Metadata().Members() {
		if name != evaluator.RevisionKey {
			e.text = appendMember(e.text, name, v)
		}
	}
	e.revision = appendMember(e.text[:len(e.text):len(e.text)], evaluator.RevisionKey, flags.StringValue(call.Revision))[len(e.text):]
	e.revision = append(e.revision, "}}"...)
	e.sum = sumOf(e.text)
	return e
}

// demanding returns the headers of a request, with what it hands back from an event
// among its demands.
func demanding(r *http.Request) http.Header {
	if r.URL.RawQuery == "" {
		return r.Header
	}
	text := r.URL.Query().Get(configParam)
	if text == "" {
		return r.Header
	}
	if _, err := flags.ParseToken(text); err != nil {
		return r.Header // another server's, or what somebody made up: a hint, and no more
	}
	h := r.Header.Clone()
	h[evaluator.RevisionHeader] = append(slices.Clone(h[evaluator.RevisionHeader]), text)
	return h
}

package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of how many snapshots are on their way.
const (
	slotWait  = 2 * time.Second // for a place, before the client is asked to come again
	slotLimit = 5 * time.Second // a slower client gives its place up to the next
)

// answer is what leads a client to a head: nothing, commits, or a checkpoint and
// the commits after it.
type answer struct {
	head       flags.Head
	asOf       time.Time // when the store had it; zero: after the request came in
	reason     string    // why there is a checkpoint although the client had something
	checkpoint *flags.Checkpoint
	encoded    func() ([]byte, error) // the checkpoint
	records    []store.Record
}

func (s *Service) snapshot(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	head, err := s.at(ctx, w, r)
	if err != nil {
		return err
	}
	frames, after := wantsFrames(r), r.URL.Query().Get("after")
	w.Header().Set("Vary", "Accept")
	if r.URL.Query().Has("revision") {
		return s.snapshotThen(ctx, w, r, frames)
	}
	tag(w, head, frames)
	if unchanged(w, r, head) {
		return nil
	}
	release, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	a, err := s.leadOn(ctx, head, after, r.URL.Query().Get("digest"))
	if err != nil {
		return err
	}
	// The set may have moved on since it was asked where it is.
	tag(w, a.head, frames)
	w.Header().Set(restwire.RevisionHeader, a.head.Token().String())
	switch {
	case frames:
		return sendFrames(w, a)
	case after != "":
		return sendLead(w, a)
	default:
		return s.sendDocument(w, a)
	}
}

// tag states the token as the entity tag. Two forms of one resource may not share
// a strong one, so frames have the weak one.
func tag(w http.ResponseWriter, head flags.Head, weak bool) {
	t := etag(head)
	if weak {
		t = "W/" + t
	}
	w.Header().Set("ETag", t)
}

func wantsFrames(r *http.Request) bool {
	for accepted := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		media, _, _ := strings.Cut(accepted, ";")
		if strings.EqualFold(strings.TrimSpace(media), restwire.FramesType) {
			return true
		}
	}
	return false
}

// slot waits for one of the places for snapshots.
func (s *Service) slot(ctx context.Context) (release func(), err error) {
	wait := time.NewTimer(slotWait)
	defer wait.Stop()
	select {
	case s.slots <- struct{}{}:
	case <-wait.C:
		return nil, problem(restwire.Plain(http.StatusServiceUnavailable, "too many snapshots are being sent"))
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	timer := time.AfterFunc(slotLimit, func() { <-s.slots })
	return func() {
		if timer.Stop() {
			<-s.slots
		}
	}, nil
}

// leadOn returns what leads a client to head at least. It comes from the hub,
// encoded already, where the hub has it.
func (s *Service) leadOn(ctx context.Context, head flags.Head, after, digest string) (answer, error) {
	set, err := s.opts.Hub.Open(ctx, head.Set)
	if err != nil {
		return answer{}, err
	}
	set.Reach(ctx, head)
	have, err := s.have(ctx, set, head, after, digest)
	if err != nil {
		return answer{}, err
	}
	lead := set.LeadOn(ctx, s.opts.Store, have)
	if lead.Head.Version.Before(head.Version) {
		return s.fetch(ctx, have)
	}
	a := answer{head: lead.Head, reason: lead.Reset, records: lead.Records}
	if lead.Base != nil {
		a.checkpoint, a.encoded = lead.Base.Checkpoint, lead.Base.Encoded
	}
	return a, nil
}

func (s *Service) fetch(ctx context.Context, have flags.Head) (answer, error) {
	u, err := s.opts.Store.Fetch(ctx, have.Set, have)
	if err != nil {
		return answer{}, err
	}
	a := answer{head: u.Head, asOf: u.AsOf, checkpoint: u.Checkpoint}
	if u.Checkpoint != nil {
		a.encoded = u.Checkpoint.MarshalBinary
		if !have.Version.IsZero() {
			a.reason = "cannot go on from there"
		}
	}
	for _, c := range u.Commits {
		r, err := store.NewRecord(c)
		if err != nil {
			return answer{}, err
		}
		a.records = append(a.records, r)
	}
	return a, nil
}

// have returns the head that a client stands at: with the digest it names, or
// else the one that the set had there. set is nil where there is none.
func (s *Service) have(ctx context.Context, set *hub.Set, head flags.Head, after, digest string) (flags.Head, error) {
	if after == "" {
		return flags.Head{Set: head.Set}, nil
	}
	p, err := parsePlace(after, digest, head)
	if err != nil || p.Revision == 0 {
		return flags.Head{Set: head.Set}, err
	}
	have := flags.Head{Set: head.Set, Lineage: p.lineage, Version: p.Version}
	if set == nil {
		return have, nil
	}
	if known, ok := set.At(ctx, s.opts.Store, p.Version); ok && known.Lineage == p.lineage {
		have = known
	}
	if p.digest != nil {
		have.Digest = *p.digest
	}
	return have, nil
}

// contents returns a set of head at least, put together.
func (s *Service) contents(ctx context.Context, head flags.Head) (*flags.Contents, error) {
	a, err := s.leadOn(ctx, head, "", "")
	if err != nil {
		return nil, err
	}
	return a.assemble()
}

func (a *answer) assemble() (*flags.Contents, error) {
	u := flags.Update{Head: a.head, Checkpoint: a.checkpoint}
	for _, r := range a.records {
		u.Commits = append(u.Commits, r.Commit)
	}
	return store.Assemble(a.head.Set, u)
}

// frames returns the answer as a stream of parts.
func (a *answer) frames() ([][]byte, error) {
	parts := restwire.NewParts(a.head)
	if a.reason != "" {
		parts.Reason(a.reason)
	}
	if a.checkpoint != nil {
		encoded, err := a.encoded()
		if err != nil {
			return nil, err
		}
		parts.Checkpoint(encoded)
	}
	for _, r := range a.records {
		parts.Commit(r.Bytes)
	}
	pieces, _ := parts.End()
	return pieces, nil
}

func sendFrames(w http.ResponseWriter, a answer) error {
	pieces, err := a.frames()
	if err != nil {
		return err
	}
	if age := time.Since(a.asOf); !a.asOf.IsZero() && age > 0 {
		w.Header().Set(restwire.AgeHeader, strconv.FormatInt(age.Microseconds(), 10))
	}
	write(w, restwire.FramesType, http.StatusOK, pieces...)
	return nil
}

// sendLead tells people and scripts what leads on from where they are.
func sendLead(w http.ResponseWriter, a answer) error {
	out := struct {
		Head     restwire.Head     `json:"head"`
		Commits  []restwire.Commit `json:"commits,omitempty"`
		Reset    string            `json:"reset,omitempty"`    // why not commits
		Snapshot json.RawMessage   `json:"snapshot,omitempty"` // then, the whole set
	}{Head: restwire.FromHead(a.head)}
	if a.checkpoint == nil {
		for i := range a.records {
			out.Commits = append(out.Commits, restwire.FromCommit(&a.records[i].Commit))
		}
	} else {
		doc, err := a.document()
		if err != nil {
			return err
		}
		out.Reset, out.Snapshot = a.reason, doc
	}
	writeJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (a *answer) document() ([]byte, error) {
	contents, err := a.assemble()
	if err != nil {
		return nil, err
	}
	return flags.Export(contents.Checkpoint().Entries)
}

// sendDocument sends the set as flagd and people read it.
func (s *Service) sendDocument(w http.ResponseWriter, a answer) error {
	doc, err := s.sharedOf(a.head.Set).document(&a)
	if err != nil {
		return err
	}
	write(w, "application/json", http.StatusOK, doc)
	return nil
}

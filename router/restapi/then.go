package restapi

import (
	"context"
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// then returns a set as it was at a revision.
func (s *Service) then(ctx context.Context, set, revision string) (*flags.Contents, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	head, err := s.opts.Store.Head(ctx, set)
	if err != nil {
		return nil, err
	}
	p, err := parsePlace(revision, "", head)
	if err != nil {
		return nil, err
	}
	if p.lineage != head.Lineage {
		return nil, problem(restwire.OtherLineage.With("the set is at " + head.Token().String()))
	}
	return store.At(ctx, s.opts.Store, set, p.Version)
}

// snapshotThen answers with the set as it was at a revision.
func (s *Service) snapshotThen(ctx context.Context, w http.ResponseWriter, r *http.Request, frames bool) error {
	q := r.URL.Query()
	if q.Has("after") || q.Has("digest") {
		return invalid("revision together with after or digest; it asks for the set as it was, they for what is new")
	}
	release, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	contents, err := s.then(ctx, r.PathValue("set"), q.Get("revision"))
	if err != nil {
		return err
	}
	cp := contents.Checkpoint()
	tag(w, cp.Head, frames)
	w.Header().Set(restwire.RevisionHeader, cp.Token().String())
	if unchanged(w, r, cp.Head) {
		return nil
	}
	if frames {
		return sendFrames(w, answer{head: cp.Head, checkpoint: cp, encoded: cp.MarshalBinary})
	}
	doc, err := flags.Export(cp.Entries)
	if err != nil {
		return err
	}
	write(w, "application/json", http.StatusOK, doc)
	return nil
}

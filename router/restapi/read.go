package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of a page of history.
const (
	usualLimit  = 50
	mostCommits = 1000   // in JSON
	mostFrames  = 10_000 // as frames
)

func writeJSON(w http.ResponseWriter, contentType string, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		status, contentType, body = http.StatusInternalServerError, restwire.ProblemType, []byte(`{"title":"Internal Server Error","status":500}`)
	}
	write(w, contentType, status, append(body, '\n'))
}

// write answers in one piece or several. That the client has gone is nobody's concern.
func write(w http.ResponseWriter, contentType string, status int, pieces ...[]byte) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(status)
	for _, p := range pieces {
		if _, err := w.Write(p); err != nil {
			return
		}
	}
}

// unchanged answers 304 where the client has the newest already.
func unchanged(w http.ResponseWriter, r *http.Request, head flags.Head) bool {
	w.Header().Set("Cache-Control", "no-cache") // keep it, but ask before each use
	if !matches(r.Header.Get("If-None-Match"), head) {
		return false
	}
	w.WriteHeader(http.StatusNotModified)
	return true
}

func (s *Service) sets(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	if err := s.allow(ctx, authz.List, ""); err != nil {
		return err
	}
	heads, err := s.opts.Store.Sets(ctx)
	if err != nil {
		return err
	}
	out := struct {
		Sets []restwire.Head `json:"sets"`
	}{make([]restwire.Head, 0, len(heads))}
	for _, h := range heads {
		if s.allow(ctx, authz.Read, h.Set) == nil {
			out.Sets = append(out.Sets, restwire.FromHead(h))
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func (s *Service) head(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	head, err := s.at(ctx, w, r)
	if err != nil {
		return err
	}
	w.Header().Set("ETag", etag(head))
	if !unchanged(w, r, head) {
		writeJSON(w, "application/json", http.StatusOK, restwire.FromHead(head))
	}
	return nil
}

// history answers with commits, oldest first: those between from and to, or else
// the newest.
func (s *Service) history(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	head, err := s.at(ctx, w, r)
	if err != nil {
		return err
	}
	frames := wantsFrames(r)
	q, err := parseHistory(r, head, frames)
	if err != nil {
		return err
	}
	release, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	commits, next, err := s.commits(ctx, head, q)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Vary", "Accept")
	if !frames {
		befores, err := store.Befores(ctx, s.opts.Store, commits, mostLookedAt)
		if err != nil {
			return err
		}
		writeJSON(w, "application/json", http.StatusOK, pageOf(head, commits, befores, next))
		return nil
	}
	parts := restwire.NewParts(head)
	for i := range commits {
		encoded, err := commits[i].MarshalBinary()
		if err != nil {
			return err
		}
		parts.Commit(encoded)
	}
	pieces, _ := parts.End()
	write(w, restwire.FramesType, http.StatusOK, pieces...)
	return nil
}

// export answers with the set as a flagd file to be saved.
func (s *Service) export(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	head, err := s.at(ctx, w, r)
	if err != nil {
		return err
	}
	format := flagdfile.Format(strings.ToLower(r.URL.Query().Get("format")))
	contentType := "application/json"
	switch format {
	case "", flagdfile.JSON:
		format = flagdfile.JSON
	case flagdfile.YAML:
		contentType = "application/yaml"
	default:
		return invalid("format %.20q; want json or yaml", string(format))
	}
	release, err := s.slot(ctx)
	if err != nil {
		return err
	}
	defer release()
	read := func() (*flags.Contents, error) { return s.contents(ctx, head) }
	if q := r.URL.Query(); q.Has("revision") {
		read = func() (*flags.Contents, error) { return s.then(ctx, head.Set, q.Get("revision")) }
	}
	contents, err := read()
	if err != nil {
		return err
	}
	body, err := format.Format(contents.Checkpoint().Entries)
	if err != nil {
		return err
	}
	w.Header().Set(restwire.RevisionHeader, contents.Head().Token().String())
	w.Header().Set("Content-Disposition", `attachment; filename="`+head.Set+`.flagd.`+string(format)+`"`)
	w.Header().Set("Cache-Control", "no-store")
	write(w, contentType, http.StatusOK, body)
	return nil
}

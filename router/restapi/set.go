package restapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// createSet begins a set, or a deleted one again. One that is there stays as it is.
func (s *Service) createSet(w http.ResponseWriter, r *http.Request) error {
	return s.endOrBegin(w, r, flags.OpCreate)
}

// deleteSet deletes a set; its history stays.
func (s *Service) deleteSet(w http.ResponseWriter, r *http.Request) error {
	return s.endOrBegin(w, r, flags.OpDelete)
}

func (s *Service) endOrBegin(w http.ResponseWriter, r *http.Request, op flags.Op) error {
	e, err := s.begin(w, r)
	if err == nil {
		err = e.noBody()
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), editLimit)
	defer cancel()
	fits := func(c *flags.Commit) bool { return c.Op == op }
	if done, err := e.repeated(ctx, fits); done || err != nil {
		return err
	}
	head, err := s.opts.Store.Head(ctx, e.commit.Set)
	if err != nil && (op != flags.OpCreate || !errors.Is(err, store.ErrNotFound)) {
		return err
	}
	alive := err == nil && head.Status == flags.StatusLive
	if err := setMeets(r, head, alive); err != nil {
		return err
	}
	switch {
	case alive && op == flags.OpCreate:
		return e.answer(head, written{DryRun: e.dryRun})
	case !alive && op == flags.OpDelete:
		return live(head)
	case e.dryRun:
		return e.answer(flags.Head{Set: e.commit.Set, Lineage: head.Lineage, Version: head.Version}, written{DryRun: true, Changed: head.Count})
	}
	e.commit.Op = op
	if r.Header.Get("If-Match") != "" {
		e.commit.If = head.Version
	}
	accepted, err := s.opts.Store.Apply(ctx, e.commit)
	var conflict *store.ConflictError
	switch {
	case errors.As(err, &conflict):
		return changed(conflict.Token, err.Error())
	case err != nil:
		return err
	}
	return e.accepted(&accepted)
}

// client is a client that follows a set now.
type client struct {
	Set       string            `json:"set"`
	Name      string            `json:"name,omitempty"`
	Language  string            `json:"language,omitempty"`
	Version   string            `json:"version,omitempty"`
	Instance  string            `json:"instance,omitempty"`
	Address   string            `json:"address,omitempty"`
	Principal string            `json:"principal,omitempty"`
	Connected time.Time         `json:"connected"`
	Applied   string            `json:"applied,omitempty"` // token it answers from; left out: it has not said yet
	Lag       uint64            `json:"lag"`               // revisions behind
	Layers    map[string]string `json:"layers,omitempty"`
}

// clients answers with who is connected to this router, of ?set= or of all sets.
func (s *Service) clients(w http.ResponseWriter, r *http.Request) error {
	only := r.URL.Query().Get("set")
	if err := s.allow(r.Context(), authz.Admin, only); err != nil {
		return err
	}
	out := struct {
		Clients []client `json:"clients"`
	}{[]client{}}
	for _, set := range s.opts.Hub.Sets() {
		if only != "" && set.Name() != only {
			continue
		}
		for _, c := range set.Clients() {
			m := client{
				Set: c.Set, Name: c.Identity.Name, Language: c.Identity.Language, Version: c.Identity.Version, Instance: c.Identity.Instance,
				Address: c.Address, Principal: c.Principal, Connected: c.Connected.UTC(), Lag: c.Lag, Layers: c.Applied.Layers,
			}
			if !c.Applied.Head.Version.IsZero() {
				m.Applied = c.Applied.Head.Token().String()
			}
			out.Clients = append(out.Clients, m)
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, out)
	return nil
}

// difference is what a write would do to one entry.
type difference struct {
	Kind    string          `json:"kind"`
	Name    string          `json:"name"`
	Entity  string          `json:"entity,omitempty"`
	Summary string          `json:"summary"`
	Before  json.RawMessage `json:"before"` // null: not there
	After   json.RawMessage `json:"after"`
}

func differences(v *store.View, changes []flags.Mutation) []difference {
	out := make([]difference, 0, len(changes))
	for _, m := range changes {
		old, _ := v.Get(m.Key)
		out = append(out, difference{
			Kind: m.Key.Kind.String(), Name: m.Key.Name, Entity: m.Key.Entity,
			Summary: flags.Summary(m.Key, old.Bytes, m.Bytes), Before: restwire.OrNull(old.Bytes), After: restwire.OrNull(m.Bytes),
		})
	}
	return out
}

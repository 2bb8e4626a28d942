package restapi

import (
	"bytes"
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// The entries that a path names.

func flagOf(r *http.Request) flags.EntryKey { return flags.FlagKey(r.PathValue("key")) }

func evaluatorOf(r *http.Request) flags.EntryKey {
	return flags.EntryKey{Kind: flags.KindEvaluator, Name: r.PathValue("name")}
}

func overrideOf(r *http.Request) flags.EntryKey {
	return flags.OverrideKey(r.PathValue("key"), r.PathValue("entity"))
}

// flagBody reads the definition of a flag.
func flagBody(body []byte) ([]byte, error) {
	d, err := flags.ParseDefinition(body)
	return d.Bytes(), err
}

// getEntry answers with an entry as it stands: what PUT takes.
func (s *Service) getEntry(named func(*http.Request) flags.EntryKey) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), readLimit)
		defer cancel()
		cp, err := s.checkpoint(ctx, w, r)
		if err != nil {
			return err
		}
		key := named(r)
		at, there := slices.BinarySearchFunc(cp.Entries, key, func(e flags.Entry, k flags.EntryKey) int { return e.Key.Compare(k) })
		if !there {
			return noEntry(w, cp.Head, key)
		}
		tag := entryTag(cp.Head, cp.Entries[at].Revision)
		w.Header().Set("ETag", tag)
		w.Header().Set("Cache-Control", "no-cache")
		if listed(r.Header.Get("If-None-Match"), tag, true) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		write(w, "application/json", http.StatusOK, cp.Entries[at].Bytes, []byte("\n"))
		return nil
	}
}

// putEntry makes an entry what the body says.
func (s *Service) putEntry(named func(*http.Request) flags.EntryKey, parse func([]byte) ([]byte, error)) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := named(r)
		e, err := s.begin(w, r)
		if err != nil {
			return err
		}
		body, _, err := e.body(maxBody, "application/json")
		if err != nil {
			return err
		}
		data, err := parse(body)
		if err != nil {
			return err
		}
		fits := func(c *flags.Commit) bool {
			return slices.ContainsFunc(c.Changes, func(m flags.Mutation) bool { return m.Key == key && bytes.Equal(m.Bytes, data) })
		}
		return e.applyTo(key, fits, func(_ *store.View, _ flags.Entry, there bool) ([]flags.Mutation, error) {
			if !there && strings.ContainsFunc(key.Name+key.Entity, flags.Unprintable) {
				return nil, invalid("%s: control characters and marks of direction are not taken in a name", key)
			}
			return []flags.Mutation{{Key: key, Bytes: data}}, nil
		})
	}
}

// patchFlag merges the body into the definition of a flag.
func (s *Service) patchFlag(w http.ResponseWriter, r *http.Request) error {
	key := flagOf(r)
	e, err := s.begin(w, r)
	if err != nil {
		return err
	}
	patch, _, err := e.body(maxBody, restwire.MergePatchType, "application/json")
	if err != nil {
		return err
	}
	if _, err := (flags.Definition{}).Merge(patch); err != nil {
		return err // before the store is asked
	}
	fits := func(c *flags.Commit) bool { return holds(c, key) }
	return e.applyTo(key, fits, func(v *store.View, old flags.Entry, there bool) ([]flags.Mutation, error) {
		if !there {
			return nil, noEntry(w, v.Head(), key)
		}
		d, err := flags.ParseDefinition(old.Bytes)
		if err == nil {
			d, err = d.Merge(patch)
		}
		return []flags.Mutation{{Key: key, Bytes: d.Bytes()}}, err
	})
}

// deleteEntry deletes an entry, a flag with its overrides.
func (s *Service) deleteEntry(named func(*http.Request) flags.EntryKey) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		key := named(r)
		e, err := s.begin(w, r)
		if err == nil {
			err = e.noBody()
		}
		if err != nil {
			return err
		}
		fits := func(c *flags.Commit) bool {
			return slices.ContainsFunc(c.Changes, func(m flags.Mutation) bool { return m.Key == key && m.Bytes == nil })
		}
		return e.applyTo(key, fits, func(v *store.View, _ flags.Entry, there bool) ([]flags.Mutation, error) {
			if !there {
				return nil, noEntry(w, v.Head(), key)
			}
			return v.Deletion(key), nil
		})
	}
}

// applyTo edits one entry, if it is what the request wants it to be.
func (e *edit) applyTo(key flags.EntryKey, fits func(*flags.Commit) bool, change func(*store.View, flags.Entry, bool) ([]flags.Mutation, error)) error {
	e.entry = &key
	return e.apply(fits, func(v *store.View) ([]flags.Mutation, error) {
		old, there := v.Get(key)
		if err := entryMeets(e.r, v.Head(), key, old, there); err != nil {
			return nil, err
		}
		changes, err := change(v, old, there)
		if err == nil && len(changes) == 1 && there && changes[0].Bytes != nil && bytes.Equal(old.Bytes, changes[0].Bytes) {
			e.w.Header().Set("ETag", entryTag(v.Head(), old.Revision))
			return nil, nil
		}
		return changes, err
	})
}

package restapi

import (
	"bytes"
	"net/http"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/store"
)

// importFile makes a set have what a flagd file defines, in one commit; with ?prune
// what the file does not define is deleted.
func (s *Service) importFile(w http.ResponseWriter, r *http.Request) error {
	e, err := s.begin(w, r)
	if err != nil {
		return err
	}
	prune, err := boolOf(r, "prune")
	if err != nil {
		return err
	}
	body, media, err := e.body(maxImport, "application/json", "application/yaml", "application/x-yaml", "text/yaml")
	if err != nil {
		return err
	}
	name := "body.json" // what it is called in messages
	if media != "application/json" {
		name = "body.yaml"
	}
	doc, err := flagdfile.Parse(body, name)
	if err != nil {
		return err
	}
	if err := e.conditionSet(); err != nil {
		return err
	}
	to := doc.Entries()
	return e.apply(importOf(to), func(v *store.View) ([]flags.Mutation, error) {
		cp := flags.Checkpoint{Head: v.Head(), Entries: slices.Collect(v.All())}
		if err := doc.CheckAgainst(flags.ContentsOf(&cp), prune); err != nil {
			return nil, err // with the places in the file
		}
		return v.Rely(flags.Diff(cp.Entries, to, prune)), nil
	})
}

// importOf returns a check whether a commit can have been the import of these entries.
func importOf(entries []flags.Entry) func(*flags.Commit) bool {
	return func(c *flags.Commit) bool {
		file := make(map[flags.EntryKey][]byte, len(entries))
		for _, e := range entries {
			file[e.Key] = e.Bytes
		}
		for _, m := range c.Changes {
			if m.Bytes != nil && !bytes.Equal(file[m.Key], m.Bytes) || m.Bytes == nil && file[m.Key] != nil {
				return false
			}
		}
		return c.Op == flags.OpChange
	}
}

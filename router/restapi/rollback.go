package restapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// rollback makes a set, or some flags with their overrides, what they were at a revision,
// in a new commit.
func (s *Service) rollback(w http.ResponseWriter, r *http.Request) error {
	e, err := s.begin(w, r)
	if err != nil {
		return err
	}
	body, _, err := e.body(maxBody, "application/json")
	if err != nil {
		return err
	}
	var ask struct {
		Revision string   `json:"revision"` // as ?from of the history
		Flags    []string `json:"flags"`    // keys, one at least; left out: the whole set
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&ask); err != nil {
		return invalid("body: %w; want {\"revision\":\"...\",\"flags\":[...]}", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return invalid("body: more than one value")
	}
	if ask.Flags != nil && len(ask.Flags) == 0 {
		return invalid("flags: none are named; leave it out to roll the whole set back") // a script that found none does not mean all
	}
	then, err := s.then(r.Context(), e.commit.Set, ask.Revision)
	if err != nil {
		return err
	}
	if err := e.conditionSet(); err != nil {
		return err
	}
	e.commit.Reason = cmp.Or(e.commit.Reason, "rollback to "+then.Head().Token().String())
	reason := e.commit.Reason
	fits := func(c *flags.Commit) bool { return c.Op == flags.OpChange && c.Reason == reason }
	return e.apply(fits, func(v *store.View) ([]flags.Mutation, error) {
		for _, key := range ask.Flags {
			_, was := then.Get(flags.FlagKey(key))
			if _, is := v.Get(flags.FlagKey(key)); !was && !is {
				return nil, noEntry(w, v.Head(), flags.FlagKey(key))
			}
		}
		return v.Back(then, func(k flags.EntryKey) bool {
			return len(ask.Flags) == 0 || (k.Kind == flags.KindFlag || k.Kind == flags.KindOverride) && slices.Contains(ask.Flags, k.Name)
		}), nil
	})
}

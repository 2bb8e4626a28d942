package restapi

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// Bounds of a page of a list.
const (
	usualEntries = 100
	mostEntries  = 1000
	pageBytes    = 4 << 20 // a page ends early once its entries come to this
)

// listedEntry is an entry in a list.
type listedEntry struct {
	Name      string          `json:"name"`
	Entity    string          `json:"entity,omitempty"`
	Revision  uint64          `json:"revision"`
	ETag      string          `json:"etag"`
	Overrides int             `json:"overrides,omitempty"` // of a flag
	Value     json.RawMessage `json:"value"`
}

// entryList is a page of a list.
type entryList struct {
	Head    restwire.Head `json:"head"`
	Entries []listedEntry `json:"entries"`
	Next    string        `json:"next,omitempty"` // what ?after= goes on from; left out: that was all
}

// listFlags answers with the flags that the parameters search for.
func (s *Service) listFlags(w http.ResponseWriter, r *http.Request) error {
	wanted, err := filterOf(r.URL.Query())
	if err != nil {
		return err
	}
	return s.list(w, r, flags.KindFlag, wanted)
}

// listEntries answers with the entries of a kind, of overrides those of a flag or entity.
func (s *Service) listEntries(kind flags.Kind) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		q := r.URL.Query()
		return s.list(w, r, kind, func(e flags.Entry) bool {
			if kind != flags.KindOverride {
				return true
			}
			return (!q.Has("key") || e.Key.Name == q.Get("key")) && (!q.Has("entity") || e.Key.Entity == q.Get("entity"))
		})
	}
}

func (s *Service) list(w http.ResponseWriter, r *http.Request, kind flags.Kind, wanted func(flags.Entry) bool) error {
	ctx, cancel := context.WithTimeout(r.Context(), readLimit)
	defer cancel()
	limit, err := limitOf(r.URL.Query().Get("limit"), usualEntries, mostEntries)
	if err != nil {
		return err
	}
	after, err := afterOf(r.URL.Query().Get("after"), kind)
	if err != nil {
		return err
	}
	cp, err := s.checkpoint(ctx, w, r)
	if err != nil {
		return err
	}
	out := entryList{Head: restwire.FromHead(cp.Head), Entries: []listedEntry{}}
	first, exact := slices.BinarySearchFunc(cp.Entries, after, func(e flags.Entry, k flags.EntryKey) int { return e.Key.Compare(k) })
	if exact {
		first++
	}
	size := 0
	for _, e := range cp.Entries[first:] {
		if e.Key.Kind != kind {
			break
		}
		if !wanted(e) {
			continue
		}
		if len(out.Entries) == limit || size > pageBytes {
			last := out.Entries[len(out.Entries)-1]
			out.Next = nextAfter(last.Name, last.Entity)
			break
		}
		size += len(e.Bytes)
		out.Entries = append(out.Entries, listedEntry{
			Name: e.Key.Name, Entity: e.Key.Entity, Revision: e.Revision, ETag: entryTag(cp.Head, e.Revision),
			Overrides: overridesOf(cp, e.Key), Value: e.Bytes,
		})
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, "application/json", http.StatusOK, out)
	return nil
}

func limitOf(text string, usual, most int) (int, error) {
	if text == "" {
		return usual, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return 0, invalid("limit %.20q; want 1 to %d", text, most)
	}
	return n, nil
}

// nextAfter names an entry in ?after=: its name, of an override in a form that
// takes both of its names.
func nextAfter(name, entity string) string {
	if entity == "" {
		return name
	}
	return url.QueryEscape(name) + " " + url.QueryEscape(entity)
}

func afterOf(text string, kind flags.Kind) (flags.EntryKey, error) {
	key := flags.EntryKey{Kind: kind, Name: text}
	if kind != flags.KindOverride || text == "" {
		return key, nil
	}
	name, entity, ok := strings.Cut(text, " ")
	var err1, err2 error
	key.Name, err1 = url.QueryUnescape(name)
	key.Entity, err2 = url.QueryUnescape(entity)
	if err1 != nil || err2 != nil || !ok {
		return key, invalid("after %.60q; want what next said", text)
	}
	return key, nil
}

// overridesOf counts the overrides of a flag, which stand one after another.
func overridesOf(cp *flags.Checkpoint, key flags.EntryKey) int {
	if key.Kind != flags.KindFlag {
		return 0
	}
	find := func(k flags.EntryKey) int {
		at, _ := slices.BinarySearchFunc(cp.Entries, k, func(e flags.Entry, k flags.EntryKey) int { return e.Key.Compare(k) })
		return at
	}
	return find(flags.OverrideKey(key.Name+"\x00", "")) - find(flags.OverrideKey(key.Name, ""))
}

// checkpoint returns all entries of a set as the request may see it, and states which
// revision that is. It is put together once a revision; nobody may change it.
func (s *Service) checkpoint(ctx context.Context, w http.ResponseWriter, r *http.Request) (*flags.Checkpoint, error) {
	head, err := s.at(ctx, w, r)
	if err != nil {
		return nil, err
	}
	sh := s.sharedOf(head.Set)
	sh.mu.Lock()
	cp := sh.whole
	sh.mu.Unlock()
	if cp == nil || cp.Head != head {
		contents, err := s.contents(ctx, head)
		if err != nil {
			return nil, err
		}
		cp = contents.Checkpoint()
		sh.mu.Lock()
		if sh.whole == nil || sh.whole.Version.Before(cp.Version) || sh.whole.Lineage != cp.Lineage {
			sh.whole = cp
		}
		sh.mu.Unlock()
	}
	w.Header().Set(restwire.RevisionHeader, cp.Token().String())
	return cp, nil
}

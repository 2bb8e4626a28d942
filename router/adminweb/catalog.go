package adminweb

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
)

// board keeps a set ready for its pages. It catches up with the hub whenever it is
// asked, at the cost of what changed since.
type board struct {
	set   *hub.Set
	trail *trail

	mu  sync.Mutex
	now *catalog

	reading chan struct{} // holds a token while somebody reads what was; guards past
	past    map[flags.Version]*catalog
}

// catalog is a set at one version, with what lists show of each flag. It is immutable.
type catalog struct {
	*flags.Snapshot
	rows   []*row // by key
	facets facets
}

// facets are the values there are to filter by.
type facets struct{ Tags, Owners []string }

// board returns the board of a set. The error is the store's where there is no such set.
func (p *Page) board(ctx context.Context, name string) (*board, error) {
	set, err := p.opts.Hub.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.boards[name]
	if b == nil || b.set != set {
		b = &board{set: set, trail: newTrail(name), reading: make(chan struct{}, 1), past: map[flags.Version]*catalog{}}
		p.boards[name] = b
	}
	return b, nil
}

// current returns the newest version that the hub has.
func (b *board) current() (*catalog, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var have flags.Head
	if b.now != nil {
		have = b.now.Head()
	}
	lead := b.set.Lead(have)
	if b.now != nil && !lead.Moves() {
		return b.now, nil
	}
	commits := make([]flags.Commit, len(lead.Records))
	for i, r := range lead.Records {
		commits[i] = r.Commit
	}
	from := b.now
	if lead.Base != nil {
		from = newCatalog(flags.NewSnapshot(lead.Base.Checkpoint))
	}
	snap, err := from.Apply(commits...)
	if err != nil {
		return nil, err
	}
	b.now = from.after(snap, commits)
	return b.now, nil
}

func newCatalog(snap *flags.Snapshot) *catalog {
	c := &catalog{Snapshot: snap}
	overrides := map[string]int{}
	for e := range snap.Entries() {
		switch e.Key.Kind {
		case flags.KindFlag:
			c.rows = append(c.rows, rowOf(e))
		case flags.KindOverride:
			overrides[e.Key.Name]++
		}
	}
	slices.SortFunc(c.rows, func(a, b *row) int { return cmp.Compare(a.Key, b.Key) })
	for _, r := range c.rows {
		r.Overrides = overrides[r.Key]
	}
	c.facets = facetsOf(c.rows)
	return c
}

// after returns the catalog of snap, which commits led to. Only rows that they
// touch are made again.
func (c *catalog) after(snap *flags.Snapshot, commits []flags.Commit) *catalog {
	touched := map[string]bool{}
	for i := range commits {
		if commits[i].Op != flags.OpChange {
			return newCatalog(snap)
		}
		for _, m := range commits[i].Changes {
			if m.Key.Kind == flags.KindFlag || m.Key.Kind == flags.KindOverride {
				touched[m.Key.Name] = true
			}
		}
	}
	if len(touched) > len(c.rows)/4 {
		return newCatalog(snap)
	}
	next := &catalog{Snapshot: snap, rows: slices.DeleteFunc(slices.Clone(c.rows), func(r *row) bool { return touched[r.Key] })}
	overrides := map[string]int{}
	if len(touched) > 0 {
		for e := range snap.Entries() {
			if e.Key.Kind == flags.KindOverride && touched[e.Key.Name] {
				overrides[e.Key.Name]++
			}
		}
	}
	for key := range touched {
		e, ok := snap.Get(flags.FlagKey(key))
		if !ok {
			continue
		}
		r := rowOf(e)
		r.Overrides = overrides[key]
		i, _ := slices.BinarySearchFunc(next.rows, key, func(r *row, key string) int { return cmp.Compare(r.Key, key) })
		next.rows = slices.Insert(next.rows, i, r)
	}
	next.facets = facetsOf(next.rows)
	return next
}

// row returns what lists show of a flag.
func (c *catalog) row(key string) (*row, bool) {
	i, ok := slices.BinarySearchFunc(c.rows, key, func(r *row, key string) int { return cmp.Compare(r.Key, key) })
	if !ok {
		return nil, false
	}
	return c.rows[i], true
}

// entries returns the entries of a kind, sorted by key.
func (c *catalog) entries(kind flags.Kind, keep func(flags.EntryKey) bool) []flags.Entry {
	var out []flags.Entry
	for e := range c.Entries() {
		if e.Key.Kind == kind && (keep == nil || keep(e.Key)) {
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b flags.Entry) int { return a.Key.Compare(b.Key) })
	return out
}

// mostFacets bounds the values offered to filter by; any other can be typed.
const mostFacets = 200

func facetsOf(rows []*row) facets {
	tags, owners := map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		for _, t := range r.Tags {
			tags[t] = true
		}
		if r.Owner != "" {
			owners[r.Owner] = true
		}
	}
	return facets{Tags: some(tags), Owners: some(owners)}
}

func some(set map[string]bool) []string {
	var out []string
	for name := range set {
		out = append(out, name)
	}
	slices.SortFunc(out, strings.Compare)
	return out[:min(len(out), mostFacets)]
}

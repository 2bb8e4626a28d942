package adminweb

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// perPage is how many flags are on one page.
const perPage = 100

// flagsPage lists the flags of a set.
type flagsPage struct {
	screen
	Search   search
	Rows     []listed
	Found    int // flags that match
	Total    int
	From, To int
	Previous string // address of the page before, if any
	Next     string
	Facets   facets
	Kinds    []string
	May      bool // change flags
	Deleted  bool
	Large    *Large // nil: clients take the set as it is
}

// search is what the list is narrowed to.
type search struct {
	Text, Tag, Owner, State, Kind, Sort string
	page                                int
}

// Ways are what switches of the page lead to.
func (flagsPage) Ways() []string { return switchWays }

// Narrowed reports whether anything is left out.
func (s search) Narrowed() bool { return s.Text+s.Tag+s.Owner+s.State+s.Kind != "" }

// listed is a row with what the journal says of it.
type listed struct {
	*row
	Created, Changed *stamp
	Base             string
}

// Row is the row, for parts of templates.
func (l listed) Row() *row { return l.row }

func (v *visit) flags() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.openThen(ctx)
	if err != nil {
		return err
	}
	q := v.query
	s := search{Text: q.Get("q"), Tag: q.Get("tag"), Owner: q.Get("owner"), State: q.Get("state"), Kind: q.Get("kind"), Sort: q.Get("sort")}
	s.page, _ = strconv.Atoi(q.Get("page"))
	found := s.find(c.rows)
	s.page = min(max(s.page, 1), max(1, (len(found)+perPage-1)/perPage))
	from := (s.page - 1) * perPage
	shown := found[from:min(from+perPage, len(found))]
	page := flagsPage{
		screen: v.screen("Flags", "flags").at(c.Head()), Search: s, Found: len(found), Total: len(c.rows),
		From: from + 1, To: from + len(shown), Facets: c.facets, Kinds: flags.AboutKinds(), May: v.may(authz.Write),
		Deleted: c.Head().Status != flags.StatusLive, Large: v.opts.Health().large(v.set),
	}
	for _, r := range shown {
		created, _ := b.trail.of(flags.FlagKey(r.Key), c.Head().Version)
		page.Rows = append(page.Rows, listed{r, created, b.trail.last(flags.FlagKey(r.Key), c.Head().Version), v.baseOf(c, r.Revision)})
	}
	if s.page > 1 {
		page.Previous = v.pageAddress(s.page - 1)
	}
	if page.To < page.Found {
		page.Next = v.pageAddress(s.page + 1)
	}
	v.render(http.StatusOK, "flags", page)
	return nil
}

// open returns the board of the visited set, caught up, and its newest version.
func (v *visit) open(ctx context.Context) (*board, *catalog, error) {
	b, err := v.board(ctx, v.set)
	if err != nil {
		return nil, nil, err
	}
	c, err := b.current()
	if err != nil {
		return nil, nil, err
	}
	// Without the journal, pages say what there is and not since when.
	ctx, cancel := context.WithTimeout(ctx, trailPause)
	defer cancel()
	if err := b.trail.catchUp(ctx, v.opts.Store, c.Head()); err != nil {
		v.opts.Logger.InfoContext(ctx, "page: history not read to its end", "set", v.set, "err", err)
	}
	return b, c, nil
}

// baseOf names the version of an entry, for forms.
func (v *visit) baseOf(c *catalog, revision uint64) string {
	if revision == 0 {
		return ""
	}
	return flags.Version{Epoch: c.Head().Epoch, Revision: revision}.String()
}

func (v *visit) pageAddress(n int) string {
	q := url.Values{}
	for name, values := range v.query {
		if name != "page" && name != "saved" && values[0] != "" {
			q[name] = values
		}
	}
	if n > 1 {
		q.Set("page", strconv.Itoa(n))
	}
	return v.path("flags") + "?" + q.Encode()
}

// find returns the rows that match, in the order asked for. Every word of the text
// has to be in the key, the description, the owner or the tags.
func (s search) find(rows []*row) []*row {
	words := strings.Fields(strings.ToLower(s.Text))
	var found []*row
	for _, r := range rows {
		if s.matches(r, words) {
			found = append(found, r)
		}
	}
	if s.Sort == "changed" {
		slices.SortStableFunc(found, func(a, b *row) int { return cmp.Compare(b.Revision, a.Revision) })
	}
	return found
}

func (s search) matches(r *row, words []string) bool {
	for _, w := range words {
		if !strings.Contains(r.text, w) {
			return false
		}
	}
	return (s.Tag == "" || slices.Contains(r.Tags, s.Tag)) &&
		(s.Owner == "" || r.Owner == s.Owner) &&
		(s.Kind == "" || r.Kind == s.Kind) &&
		(s.State == "" || r.state() == s.State || s.State == "expired" && r.Expired())
}

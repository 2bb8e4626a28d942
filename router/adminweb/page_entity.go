package adminweb

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// entityPage is what one targeting key gets of every flag.
type entityPage struct {
	screen
	Form         *form
	ID           string
	Search       string
	OnlyOverride bool
	Rows         []entityRow
	Found, Total int
	From, To     int
	Next         string
	Previous     string
	May          bool
	failed       *form
}

// entityRow is what the entity gets of one flag.
type entityRow struct {
	Key      string
	Got      resolved
	Override string // its own variant, "" for none
	Base     string // of the override
	Variants []string
	By       *stamp // who set the override
}

// Refused returns the refused form of a flag's override, or an empty one.
func (p entityPage) Refused(key string) *form {
	if p.failed != nil && p.failed.Value("key") == key {
		return p.failed
	}
	return newForm("", nil)
}

func (v *visit) entity() error { return v.showEntity(nil) }

func (v *visit) showEntity(failed *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.openThen(ctx)
	if err != nil {
		return err
	}
	f := newForm("", v.query)
	id := f.line("id", flags.MaxKeyBytes)
	ec := f.evaluationContext(id)
	p := entityPage{
		screen: v.screen("Entity", "entity").at(c.Head()), Form: f, ID: id, Search: f.Value("q"),
		OnlyOverride: f.Value("own") != "", May: v.may(authz.Write), Total: len(c.rows), failed: failed,
	}
	if id != "" && !f.Refused() {
		v.fillEntity(&p, b, c, ec)
	}
	status := f.status()
	if failed != nil {
		status = failed.status()
	}
	v.render(status, "entity", p)
	return nil
}

// fillEntity evaluates the flags of the page: only those, however many there are.
func (v *visit) fillEntity(p *entityPage, b *board, c *catalog, ec flags.EvaluationContext) {
	var found []*row
	for _, r := range (search{Text: p.Search}).find(c.rows) {
		if _, own := c.Get(flags.OverrideKey(r.Key, p.ID)); own || !p.OnlyOverride {
			found = append(found, r)
		}
	}
	n, _ := strconv.Atoi(v.query.Get("page"))
	n = min(max(n, 1), max(1, (len(found)+perPage-1)/perPage))
	from := (n - 1) * perPage
	shown := found[from:min(from+perPage, len(found))]
	p.Found, p.From, p.To = len(found), from+1, from+len(shown)
	for _, r := range shown {
		key := flags.OverrideKey(r.Key, p.ID)
		er := entityRow{Key: r.Key, Got: c.resolve(r.Key, ec)}
		if e, ok := c.Get(key); ok {
			er.Override, er.Base, er.By = flags.OverrideVariant(e.Bytes), v.baseOf(c, e.Revision), b.trail.last(key, c.Head().Version)
		}
		if e, ok := c.Get(flags.FlagKey(r.Key)); ok {
			if d, err := flags.ParseDefinition(e.Bytes); err == nil {
				for _, variant := range d.Variants() {
					er.Variants = append(er.Variants, variant.Name)
				}
			}
		}
		p.Rows = append(p.Rows, er)
	}
	if n > 1 {
		p.Previous = v.entityAddress(n - 1)
	}
	if p.To < p.Found {
		p.Next = v.entityAddress(n + 1)
	}
}

func (v *visit) entityAddress(page int) string {
	q := url.Values{"page": {strconv.Itoa(page)}}
	for _, name := range []string{"id", "q", "own", "context", "revision"} {
		if text := v.query.Get(name); text != "" {
			q.Set(name, text)
		}
	}
	return v.path("entity") + "?" + q.Encode()
}

// editEntity sets or clears an override of the entity.
func (v *visit) editEntity() error {
	f := newForm("override", v.r.PostForm)
	f.values.Set("entity", v.query.Get("id"))
	edit := (*visit).setOverride
	if f.Value("variant") == "" {
		edit = (*visit).clearOverride
	}
	saved, err := edit(v, f, strings.TrimSpace(f.Value("key")))
	if err != nil {
		return err
	}
	if f.Refused() {
		return v.showEntity(f)
	}
	q := v.r.URL.Query()
	q.Set("saved", saved)
	http.Redirect(v.w, v.r, v.path("entity")+"?"+q.Encode(), http.StatusSeeOther)
	return nil
}

// ContextJSON is the whole context, for links to the playground.
func (p entityPage) ContextJSON() string {
	ec := newForm("", url.Values{"context": {p.Form.Value("context")}}).evaluationContext(p.ID)
	return string(ec.Value().AppendJSON(nil))
}

// Here is the address that forms of the page go to.
func (p entityPage) Here() string {
	q := url.Values{}
	for _, name := range []string{"id", "q", "own", "context", "page"} {
		if text := p.Form.Value(name); text != "" {
			q.Set(name, text)
		}
	}
	return "/s/" + p.Set + "/entity?" + q.Encode()
}

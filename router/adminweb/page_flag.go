package adminweb

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// Bounds of what is shown of one flag.
const (
	shownHistory   = 20
	shownOverrides = 100
)

// flagPage is everything about one flag.
type flagPage struct {
	screen
	Key, Base string
	Row       *row // nil: there is no such flag now
	About     flags.About
	Variants  []variant
	Shares    []share // of a rollout
	By        string
	Total     int // of the shares
	Rule      string
	As        string // expression or json: how the rule is written
	JSONOnly  bool   // it cannot be written otherwise
	Fault     string
	JSON      string
	Overrides []override
	More      int // overrides that are not shown
	Created   *stamp
	Changed   *stamp
	History   []event
	Older     bool
	Kinds     []string
	May       bool
	form      *form // that was refused
}

// variant is one of the values of a flag.
type variant struct {
	Name, Value, Color string
	Default            bool
	Percent            int // that a form of the rollout begins with
}

// share is a variant's part of a rollout.
type share struct {
	Variant, Color, Percent string
	Weight                  int
	From                    int // of the bar, in thousandths
	Width                   int
}

// override is one entity's own variant.
type override struct {
	Entity, Variant, Base string
	Changed               *stamp
}

// event is one commit, as far as it concerns a flag.
type event struct {
	*stamp
	Changes []change
	Restore string // version of the definition that can be brought back; "" for none
	Undo    bool   // bringing it back undoes the newest change
}

// Stamp is the stamp, for parts of templates.
func (e event) Stamp() *stamp { return e.stamp }

// change is what a commit did to one entry.
type change struct {
	Summary string
	Lines   []line
	Unknown bool // what was there before is no longer kept
	Flag    string
}

// Form returns a form of the page: the refused one with what was typed, or else an
// empty one.
func (p flagPage) Form(do string) *form {
	if p.form != nil && p.form.Do == do {
		return p.form
	}
	return newForm(do, nil)
}

// Ways are what switches of the page lead to.
func (flagPage) Ways() []string { return switchWays }

// RuleRows is the height of the field with the rule.
func (p flagPage) RuleRows() int { return min(max(strings.Count(p.Rule, "\n")+2, 4), 24) }

func (v *visit) flag() error { return v.showFlag(v.query.Get("key"), nil) }

func (v *visit) showFlag(key string, refused *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.openThen(ctx)
	if err != nil {
		return err
	}
	entry := flags.FlagKey(key)
	p := flagPage{
		screen: v.screen(key, "flags").at(c.Head()), Key: key, Kinds: flags.AboutKinds(), May: v.may(authz.Write), form: refused, As: v.query.Get("as"),
	}
	p.Created, _ = b.trail.of(entry, c.Head().Version)
	p.Changed = b.trail.last(entry, c.Head().Version)
	if e, ok := c.Get(entry); ok {
		p.Row, _ = c.row(key)
		p.Base = v.baseOf(c, e.Revision)
		p.describe(e)
		v.overridesOf(&p, b, c)
	} else if p.Changed == nil {
		return fail(http.StatusNotFound, "No such flag", "There is no flag %q in set %q at revision %s.", key, v.set, c.Head().Version)
	}
	if err := v.historyOf(ctx, &p, b); err != nil {
		v.opts.Logger.InfoContext(ctx, "page: no history", "set", v.set, "err", err)
	}
	status := http.StatusOK
	if refused != nil {
		status = refused.status()
	}
	v.render(status, "flag", p)
	return nil
}

func (p *flagPage) describe(e flags.Entry) {
	p.JSON = indent(e.Bytes)
	def, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		p.Fault = err.Error()
		return
	}
	p.About = def.About()
	p.Rule, p.As = ruleText(def.Targeting(), p.As == "json")
	_, shows := expression.ShowTargeting(def.Targeting())
	p.JSONOnly = !shows
	byDefault, _ := def.DefaultVariant()
	weights := map[string]int{}
	shares, by, ok := def.Rollout()
	if ok {
		p.By = by
		for _, s := range shares {
			weights[s.Variant] += s.Weight
			p.Total += s.Weight
		}
	}
	from := 0
	for i, val := range def.Variants() {
		color := "c" + strconv.Itoa(i%8)
		p.Variants = append(p.Variants, variant{val.Name, shown(def.Type(), val.Value), color, val.Name == byDefault, startingShare(weights[val.Name], p.Total, val.Name == byDefault)})
		if ok && p.Total > 0 {
			s := share{Variant: val.Name, Color: color, Weight: weights[val.Name], Percent: percent(weights[val.Name], p.Total), From: from, Width: weights[val.Name] * 1000 / p.Total}
			from += s.Width
			p.Shares = append(p.Shares, s)
		}
	}
}

// startingShare is the percentage that a form begins with: the one there is, or all
// for the default variant.
func startingShare(weight, total int, byDefault bool) int {
	switch {
	case total > 0:
		return weight * 100 / total
	case byDefault:
		return 100
	default:
		return 0
	}
}

// shown writes a variant's value as it is typed: strings without quotes.
func shown(t flags.Type, value []byte) string {
	var text string
	if t == flags.TypeString && json.Unmarshal(value, &text) == nil {
		return text
	}
	return string(value)
}

func indent(data []byte) string {
	var out bytes.Buffer
	if len(data) == 0 || json.Indent(&out, data, "", "  ") != nil {
		return string(data)
	}
	return out.String()
}

func (v *visit) overridesOf(p *flagPage, b *board, c *catalog) {
	for _, e := range c.entries(flags.KindOverride, func(k flags.EntryKey) bool { return k.Name == p.Key }) {
		if len(p.Overrides) == shownOverrides {
			p.More++
			continue
		}
		p.Overrides = append(p.Overrides, override{e.Key.Entity, flags.OverrideVariant(e.Bytes), v.baseOf(c, e.Revision), b.trail.last(e.Key, c.Head().Version)})
	}
}

// historyOf fills in the newest changes, each with what it did.
func (v *visit) historyOf(ctx context.Context, p *flagPage, b *board) error {
	stamps := b.trail.concerning(p.Key, p.Head.Version)
	if len(stamps) > shownHistory {
		stamps, p.Older = stamps[:shownHistory], true
	}
	for _, s := range stamps {
		ev := event{stamp: s}
		c, err := commitAt(ctx, v.opts.Store, v.set, s.Version)
		if err != nil {
			return err
		}
		for _, m := range c.Changes {
			if m.Key.Name != p.Key || m.Key.Kind != flags.KindFlag && m.Key.Kind != flags.KindOverride {
				continue
			}
			ch, err := v.changeOf(ctx, b, c.Version, m)
			if err != nil {
				return err
			}
			ev.Changes = append(ev.Changes, ch)
			if m.Key.Kind == flags.KindFlag {
				v.offerRestore(&ev, p, b, m)
			}
		}
		p.History = append(p.History, ev)
	}
	return nil
}

// offerRestore says what can be brought back from an event: the definition that it
// made or, from the newest one, what was there before.
func (v *visit) offerRestore(ev *event, p *flagPage, b *board, m flags.Mutation) {
	if p.Changed != nil && ev.Version != p.Changed.Version {
		if m.Bytes != nil {
			ev.Restore = ev.Version.String()
		}
		return
	}
	_, stamps := b.trail.of(m.Key, p.Head.Version)
	if len(stamps) > 1 && (m.Bytes == nil || stamps[len(stamps)-2].Epoch == ev.Epoch) {
		ev.Restore, ev.Undo = stamps[len(stamps)-2].Version.String(), true
	}
}

// changeOf shows what a commit did to an entry.
func (v *visit) changeOf(ctx context.Context, b *board, at flags.Version, m flags.Mutation) (change, error) {
	was, known, err := b.trail.before(ctx, v.opts.Store, m.Key, at)
	if err != nil {
		return change{}, err
	}
	ch := change{Summary: textdiff.Summary(m.Key, was, m.Bytes), Lines: diff(m.Key, was, m.Bytes), Unknown: !known}
	if m.Key.Kind == flags.KindFlag || m.Key.Kind == flags.KindOverride {
		ch.Flag = m.Key.Name
	}
	if !known && m.Bytes != nil {
		ch.Summary = m.Key.String() + " set"
	}
	return ch, nil
}

// editFlag takes the forms of a flag's page.
func (v *visit) editFlag() error {
	key := v.query.Get("key")
	f := newForm(v.r.PostForm.Get("do"), v.r.PostForm)
	edit, ok := flagForms[f.Do]
	if !ok {
		return fail(http.StatusBadRequest, "Not a form of this page", "There is no form %q here. Nothing was changed.", f.Do)
	}
	saved, err := edit(v, f, key)
	if err != nil {
		return err
	}
	if f.Refused() {
		return v.showFlag(key, f)
	}
	return v.redirect(v.path("flag"), url.Values{"key": {key}, "saved": {saved}})
}

// flagForms are the forms of a flag's page. Each returns the revision it led to.
var flagForms = map[string]func(v *visit, f *form, key string) (saved string, err error){
	"default": (*visit).editDefault, "rollout": (*visit).editRollout, "rule": (*visit).editRule,
	"variants": (*visit).editVariants, "about": (*visit).editAbout, "override": (*visit).setOverride,
	"clear": (*visit).clearOverride, "restore": (*visit).restore, "delete": (*visit).deleteFlag,
}

package adminweb

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// segmentsPage lists the segments: rules that flags share.
type segmentsPage struct {
	screen
	Segments []segment
	May      bool
	form     *form
}

// segment is one shared rule.
type segment struct {
	Name, Rule, As, Base string
	Rows                 int
	Used                 []string // flags that refer to it
	Changed              *stamp
}

// Form returns the form of a segment, "" for that of a new one: the refused one, or
// an empty one.
func (p segmentsPage) Form(name string) *form {
	if p.form != nil && (p.form.Value("base") == "" && name == "" || p.form.Value("base") != "" && p.form.Value("segment") == name) {
		return p.form
	}
	return newForm("", nil)
}

func segmentKey(name string) flags.EntryKey {
	return flags.EntryKey{Kind: flags.KindEvaluator, Name: name}
}

func (v *visit) segments() error { return v.showSegments(nil) }

func (v *visit) showSegments(refused *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, c, err := v.openThen(ctx)
	if err != nil {
		return err
	}
	p := segmentsPage{screen: v.screen("Segments", "segments").at(c.Head()), May: v.may(authz.Write), form: refused}
	used := c.segmentUses()
	for _, e := range c.entries(flags.KindEvaluator, nil) {
		s := segment{Name: e.Key.Name, As: "expression", Base: v.baseOf(c, e.Revision), Used: used[e.Key.Name], Changed: b.trail.last(e.Key, c.Head().Version)}
		text, ok := expression.Show(e.Bytes)
		if s.Rule = text; !ok {
			s.Rule, s.As = indent(e.Bytes), "json"
		}
		s.Rows = min(max(bytes.Count([]byte(s.Rule), []byte("\n"))+1+len(s.Rule)/120, 2), 16)
		p.Segments = append(p.Segments, s)
	}
	status := http.StatusOK
	if refused != nil {
		status = refused.status()
	}
	v.render(status, "segments", p)
	return nil
}

// segmentUses returns the flags that refer to each segment.
func (c *catalog) segmentUses() map[string][]string {
	used := map[string][]string{}
	for e := range c.Entries() {
		if e.Key.Kind != flags.KindFlag || !bytes.Contains(e.Bytes, []byte(`"$ref"`)) {
			continue
		}
		if d, err := flags.ParseDefinition(e.Bytes); err == nil {
			for _, name := range expression.Segments(d.Targeting()) {
				used[name] = append(used[name], e.Key.Name)
			}
		}
	}
	for _, names := range used {
		slices.Sort(names)
	}
	return used
}

// editSegment makes, changes or deletes a segment.
func (v *visit) editSegment() error {
	f := newForm(v.r.PostForm.Get("do"), v.r.PostForm)
	name := f.name("segment")
	var rule []byte
	if f.Do != "delete" {
		rule = f.segment()
	}
	saved, err := v.editEntry(f, segmentKey(name), at("rule"), func([]byte) []byte { return rule })
	if err != nil {
		return err
	}
	if f.Conflict != nil && f.Value("base") == "" {
		f.Conflict = nil
		f.refuse("segment", "There is a segment of this name already.")
	}
	if f.Refused() {
		return v.showSegments(f)
	}
	return v.redirect(v.path("segments"), url.Values{"saved": {saved}})
}

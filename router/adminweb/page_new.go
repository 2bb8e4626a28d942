package adminweb

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// newPage is the form that makes a flag.
type newPage struct {
	screen
	Form  *form
	Kinds []string
	Types []string
}

func (v *visit) newFlag() error {
	return v.showNew(newForm("new", url.Values{"type": {"boolean"}, "variants": {"on = true\noff = false"}, "default": {"off"}}))
}

func (v *visit) showNew(f *form) error {
	ctx := v.ctx
	_, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	v.render(f.status(), "new", newPage{screen: v.screen("New flag", "flags").at(c.Head()), Form: f, Kinds: flags.AboutKinds(), Types: flags.TypeNames()})
	return nil
}

func (v *visit) createFlag() error {
	f := newForm("new", v.r.PostForm)
	key := f.name("key")
	d := f.definition()
	saved, err := v.editEntry(f, flags.FlagKey(key), newField, func([]byte) []byte { return d.Bytes() })
	if err != nil {
		return err
	}
	if f.Conflict != nil {
		f.Conflict = nil
		f.refuse("key", "There is a flag of this name already.")
	}
	if f.Refused() {
		return v.showNew(f)
	}
	return v.redirect(v.path("flag"), url.Values{"key": {key}, "saved": {saved}})
}

// newField says which field of the form a fault of the definition belongs to.
func newField(fault flags.Fault) string {
	switch {
	case strings.Contains(fault.Path, ".variants"):
		return "variants"
	case strings.HasSuffix(fault.Path, ".defaultVariant"):
		return "default"
	case aboutField(fault) != "":
		return aboutField(fault)
	default:
		return "key"
	}
}

// definition reads the form of a new flag.
func (f *form) definition() flags.Definition {
	d := flags.Definition{}.WithEnabled(true)
	t, ok := flags.ParseType(f.Value("type"))
	if !ok {
		f.refuse("type", "Want one of %s.", strings.Join(flags.TypeNames(), ", "))
		return d
	}
	f.checkText("variants", f.Value("variants"), maxForm, true)
	for line := range strings.Lines(f.Value("variants")) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if _, there := d.Variant(name); !ok || name == "" || there {
			f.refuse("variants", "%s", map[bool]string{true: fmt.Sprintf("%q is there twice.", name), false: fmt.Sprintf("%q: want NAME = VALUE, one a line.", short(line))}[there])
			return d
		}
		d = f.withVariant(d, t, "variants", name, strings.TrimSpace(value))
	}
	if len(d.Variants()) == 0 {
		f.refuse("variants", "A flag has one variant at least.")
	}
	byDefault := strings.TrimSpace(f.Value("default"))
	if _, ok := d.Variant(byDefault); !ok && byDefault != "" {
		f.refuse("default", "There is no variant %q.", short(byDefault))
	}
	if byDefault != "" {
		d = d.WithDefaultVariant(byDefault)
	}
	return d.WithAbout(f.about())
}

// short cuts a text for a message.
func short(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}

package adminweb

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// switchPage asks for the confirmation of a switch, and for the reason.
type switchPage struct {
	screen
	Key, Base, To, Back string
	Variant             string // that becomes the default
	Row                 *row
	Form                *form
}

// switchWays are what a switch can lead to.
var switchWays = []string{"enabled", "disabled", "default"}

// confirmSwitch is where a switch leads without scripts; with them the same
// question is asked in a dialog.
func (v *visit) confirmSwitch() error { return v.showSwitch(v.query, newForm("switch", v.query)) }

func (v *visit) showSwitch(said url.Values, f *form) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	_, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	r, ok := c.row(said.Get("key"))
	if !ok {
		return fail(http.StatusNotFound, "No such flag", "There is no flag %q in set %q.", said.Get("key"), v.set)
	}
	if !slices.Contains(switchWays, said.Get("to")) {
		return fail(http.StatusBadRequest, "No such switch", "A switch leads to %s.", strings.Join(switchWays, ", "))
	}
	v.render(f.status(), "switch", switchPage{
		screen: v.screen("Switch "+r.Key, "flags").at(c.Head()), Key: r.Key, Base: v.baseOf(c, r.Revision),
		To: said.Get("to"), Variant: cmp.Or(said.Get("variant"), r.Next), Back: said.Get("back"), Row: r, Form: f,
	})
	return nil
}

// switchFlag enables or disables a flag, or makes another variant the default.
func (v *visit) switchFlag() error {
	f := newForm("switch", v.r.PostForm)
	key, to := f.Value("key"), f.Value("to")
	set := func(d flags.Definition) flags.Definition {
		switch to {
		case "enabled", "disabled":
			return d.WithEnabled(to == "enabled")
		default:
			return d.WithDefaultVariant(f.Value("variant"))
		}
	}
	if to == "default" && f.Value("variant") == "" {
		f.refuse("", "The form does not say which variant.")
	}
	saved, err := v.editDefinition(f, key, set, at(""))
	if err != nil {
		return err
	}
	if f.Refused() {
		return v.showSwitch(v.r.PostForm, f)
	}
	q := url.Values{"saved": {saved}}
	if f.Value("back") == "flag" {
		q.Set("key", key)
		return v.redirect(v.path("flag"), q)
	}
	return v.redirect(v.path("flags"), q)
}

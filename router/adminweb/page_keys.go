package adminweb

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// keysPage lists the API keys, makes new ones and revokes them.
type keysPage struct {
	screen
	Keys  []keyRow
	Roles []authz.Role
	Form  *form
	Made  string // the text of a new key: it is shown this once
}

// keyRow is a key in the list.
type keyRow struct {
	authz.Key
	State    string
	LastUsed stampTime
}

func (v *visit) keys() error {
	return v.showKeys(newForm("new", url.Values{"role": {string(authz.Reader)}}), "")
}

func (v *visit) showKeys(f *form, made string) error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	if v.opts.Records == nil {
		return fail(http.StatusNotFound, "No API keys", "This router keeps none: access control is off. See --auth.")
	}
	all, err := authz.ListKeys(ctx, v.opts.Records)
	if err != nil {
		return err
	}
	p := keysPage{screen: v.screen("API keys", "keys"), Roles: authz.Roles(), Form: f, Made: made}
	now := time.Now()
	for _, k := range all {
		p.Keys = append(p.Keys, keyRow{k, k.State(now), stampTime{k.LastUsed}})
	}
	slices.SortStableFunc(p.Keys, func(a, b keyRow) int { return b.Created.Compare(a.Created) })
	v.render(f.status(), "keys", p)
	return nil
}

// editKeys makes a key, or revokes one.
func (v *visit) editKeys() error {
	if v.opts.Records == nil {
		return v.showKeys(newForm("", nil), "")
	}
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	f := newForm(v.r.PostForm.Get("do"), v.r.PostForm)
	if f.Do == "revoke" {
		_, err := authz.RevokeKey(ctx, v.opts.Records, f.Value("id"), v.who.String())
		if errors.Is(err, store.ErrNotFound) {
			return fail(http.StatusNotFound, "No such key", "There is no key %q.", short(f.Value("id")))
		}
		if err != nil {
			return err
		}
		return v.redirect("/keys", nil)
	}
	k := f.key()
	if k.CreatedBy = v.who.String(); f.Refused() {
		return v.showKeys(f, "")
	}
	text, _, err := authz.CreateKey(ctx, v.opts.Records, k)
	switch {
	case errors.Is(err, store.ErrExists):
		f.refuse("keyname", "There is a key of this name already.")
	case errors.Is(err, flags.ErrInvalid):
		f.refuse("", "%v", err)
	case err != nil:
		return err
	}
	return v.showKeys(f, text)
}

// key reads the form of a new key.
func (f *form) key() authz.Key {
	k := authz.Key{Name: f.line("keyname", 100)}
	role, err := authz.ParseRole(f.Value("role"))
	if k.Role = role; err != nil {
		f.refuse("role", "%v", err)
	}
	for name := range strings.FieldsFuncSeq(f.line("sets", maxText), func(r rune) bool { return r == ',' || r == ' ' }) {
		if flags.CheckSetName(name) != nil {
			f.refuse("sets", "%q names no set: use a-z A-Z 0-9 . _ -", short(name))
		}
		k.Sets = append(k.Sets, name)
	}
	if text := f.line("days", 10); text != "" {
		days, err := strconv.Atoi(text)
		if err != nil || days < 1 || days > 3650 {
			f.refuse("days", "Want a number of days from 1 to 3650, or nothing.")
			return k
		}
		k.Expires = time.Now().AddDate(0, 0, days)
	}
	return k
}

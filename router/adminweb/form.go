package adminweb

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
	"github.com/holdfast-flags/holdfast/store"
)

// form is what was typed into a form, and what is wrong with it. A form that is
// refused is shown again as it was typed.
type form struct {
	Do       string // which form of the page
	values   url.Values
	problems map[string]string // by field; "" is the form as a whole
	Conflict *conflict
}

// conflict is an edit of something that somebody else has changed meanwhile.
type conflict struct {
	By      *stamp // nil: not known
	Theirs  []line // what they have changed
	Mine    []line // what the form would have changed
	Deleted bool
}

// line is a line of a diff.
type line struct{ Class, Text string }

// diff shows what changes make of an entry.
func diff(key flags.EntryKey, before, after []byte) []line {
	var out []line
	for _, text := range textdiff.Entry(key, before, after) {
		class := map[byte]string{'+': "plus", '-': "minus"}[text[0]]
		out = append(out, line{class, text})
	}
	return out
}

func newForm(do string, values url.Values) *form {
	return &form{Do: do, values: values, problems: map[string]string{}}
}

// Value returns what is in a field.
func (f *form) Value(field string) string { return f.values.Get(field) }

// Values returns what is in fields of the same name.
func (f *form) Values(field string) []string { return f.values[field] }

// Problem returns what is wrong with a field; with "", what is wrong with the form.
func (f *form) Problem(field string) string { return f.problems[field] }

// Refused reports whether anything is wrong.
func (f *form) Refused() bool { return len(f.problems) > 0 || f.Conflict != nil }

// refuse notes what is wrong with a field. The first fault of a field is the one
// that is told.
func (f *form) refuse(field, format string, args ...any) {
	if f.problems[field] == "" {
		f.problems[field] = fmt.Sprintf(format, args...)
	}
}

// Longest texts of fields, in bytes.
const (
	maxReason = 1000
	maxLine   = 500
	maxText   = 2000
)

// line returns the text of a field of one line.
func (f *form) line(field string, most int) string {
	text := strings.TrimSpace(f.Value(field))
	f.checkText(field, text, most, false)
	return text
}

// name returns the text of a field that names something, which may not be empty.
func (f *form) name(field string) string {
	text := f.line(field, flags.MaxKeyBytes)
	if text == "" {
		f.refuse(field, "This may not be empty.")
	}
	return text
}

// checkText refuses what people cannot see, and could be deceived by: control
// characters and marks that turn the direction of writing.
func (f *form) checkText(field, text string, most int, lines bool) {
	switch {
	case len(text) > most:
		f.refuse(field, "This is too long: %d bytes, at most %d.", len(text), most)
		return
	case !utf8.ValidString(text):
		f.refuse(field, "This is not text: it is not UTF-8.")
		return
	}
	for _, r := range text {
		switch {
		case lines && (r == '\n' || r == '\r' || r == '\t'):
		case unicode.Is(unicode.Cc, r):
			f.refuse(field, "There is a control character in it (U+%04X). Take it out.", r)
		case unicode.Is(unicode.Bidi_Control, r):
			f.refuse(field, "There is an invisible mark in it that turns the direction of writing (U+%04X). Take it out.", r)
		}
	}
}

// version returns the version of an entry that the form was made from; the zero
// one where there was no such entry.
func (f *form) version(field string) flags.Version {
	text := f.Value(field)
	if text == "" {
		return flags.Version{}
	}
	v, err := flags.ParseVersion(text, 0)
	if err != nil || v.String() != text {
		f.refuse("", "The form does not say which version it was made from. Load the page again.")
	}
	return v
}

// commitOf returns the commit of a form, but for its changes. The same form sent
// twice, as after a timeout, is one commit.
func (v *visit) commitOf(f *form) flags.Commit {
	said := url.Values{}
	for name, values := range v.r.PostForm {
		if name != "token" {
			said[name] = values
		}
	}
	sum := sha256.Sum256([]byte(v.r.URL.RequestURI() + "\n" + v.browser + "\n" + said.Encode()))
	c := flags.Commit{Set: v.set, Reason: f.line("reason", maxReason), Address: v.r.RemoteAddr, Time: time.Now()}
	copy(c.ID[:], sum[:])
	c.Actor = v.who.Actor(flags.Actor{Kind: "user", Via: "page"})
	if !v.opts.Login {
		c.Actor.ID = f.line("name", 100)
		v.setCookie(nameCookie, hex.EncodeToString([]byte(c.Actor.ID)), 365*24*time.Hour)
	}
	return c
}

func unescapeName(text string) string {
	name, err := hex.DecodeString(text)
	if err != nil || len(name) > 100 || !utf8.Valid(name) {
		return ""
	}
	return string(name)
}

// apply makes the commit and waits until pages show it. What the store refuses is
// noted in the form, by the field that fieldOf says a fault belongs to; ok is false then.
func (v *visit) apply(f *form, c flags.Commit, fieldOf func(flags.Fault) string) (accepted flags.Commit, ok bool) {
	if len(f.problems) > 0 {
		return c, false
	}
	accepted, err := v.commitOnce(c)
	var invalid *flags.ValidationError
	switch {
	case err == nil:
		if set, err := v.opts.Hub.Open(v.ctx, c.Set); err == nil {
			set.Reach(v.ctx, accepted.Head())
		}
		return accepted, true
	case errors.As(err, &invalid):
		for _, fault := range invalid.Faults {
			f.refuse(fieldOf(fault), "%s", reason(fault))
		}
	case errors.Is(err, store.ErrConflict):
		f.Conflict = &conflict{}
		if set, open := v.opts.Hub.Open(v.ctx, c.Set); open == nil {
			if head, err := v.opts.Store.Head(v.ctx, c.Set); err == nil {
				set.Reach(v.ctx, head)
			}
		}
	case flags.ClassOf(err) == flags.ClassTransient:
		v.opts.Logger.WarnContext(v.ctx, "page: write not confirmed", "set", c.Set, "err", err)
		f.refuse("", "The store did not answer, so it is not known whether this was saved. Sending the form again is safe: it is saved once.")
	default:
		f.refuse("", "%s", err)
	}
	return accepted, false
}

// commitOnce makes the commit of a form, which the same form sent again does not make
// twice. A form that was obeyed long ago and says now what it said then (an override that
// was cleared meanwhile is set once more) is another commit: what its conditions say of
// the set holds again.
func (v *visit) commitOnce(c flags.Commit) (flags.Commit, error) {
	var was flags.Version
	if set, err := v.opts.Hub.Open(v.ctx, c.Set); err == nil {
		was = set.Head().Version
	}
	accepted, err := v.opts.Store.Apply(v.ctx, c)
	if err != nil || was.Before(accepted.Version) || v.stands(&accepted) {
		return accepted, err
	}
	c.ID = flags.NewCommitID()
	return v.opts.Store.Apply(v.ctx, c)
}

// stands reports whether a set still is as a commit left what it changed. Where that
// cannot be known it says so, too: then nothing is done twice.
func (v *visit) stands(c *flags.Commit) bool {
	b, err := v.board(v.ctx, c.Set)
	if err != nil {
		return true
	}
	head, err := v.opts.Store.Head(v.ctx, c.Set)
	if err != nil {
		return true
	}
	b.set.Reach(v.ctx, head)
	now, err := b.current()
	if err != nil {
		return true
	}
	return now.Head().Status == flags.StatusLive && !slices.ContainsFunc(c.Changes, func(m flags.Mutation) bool {
		e, _ := now.Get(m.Key)
		return !bytes.Equal(e.Bytes, m.Bytes)
	})
}

// status returns the status of a page that shows a form again.
func (f *form) status() int {
	switch {
	case f.Conflict != nil:
		return http.StatusConflict
	case f.Refused():
		return http.StatusUnprocessableEntity
	default:
		return http.StatusOK
	}
}

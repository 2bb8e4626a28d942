package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

// changeView is what a commit does to one entry, as it is shown.
type changeView struct {
	Entry   string          `json:"entry"`
	Summary string          `json:"summary"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
}

func changeOf(key flags.EntryKey, before, after []byte) changeView {
	return changeView{Entry: key.String(), Summary: flags.Summary(key, before, after), Before: orNull(before), After: orNull(after)}
}

// orNull keeps an absent entry apart from an empty one in JSON.
func orNull(b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

func stateText(d flags.Definition) string {
	if d.Enabled() {
		return "ENABLED"
	}
	return "DISABLED"
}

func defaultText(d flags.Definition) string {
	if name, ok := d.DefaultVariant(); ok {
		return name
	}
	return "none"
}

// variantNames lists what a flag can be set to, for messages.
func variantNames(d flags.Definition) string {
	var names []string
	for _, v := range d.Variants() {
		names = append(names, v.Name)
	}
	return strings.Join(names, ", ")
}

// nearest returns the flags whose keys resemble key, for hints.
func nearest(c entries, key string) string {
	var near []string
	for e := range c.All() {
		if e.Key.Kind == flags.KindFlag && resembles(e.Key.Name, key) {
			near = append(near, e.Key.Name)
		}
	}
	if len(near) == 0 {
		return "`flagctl list` shows the flags there are"
	}
	slices.Sort(near)
	return "did you mean " + strings.Join(near[:min(3, len(near))], ", ") + "?"
}

func resembles(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return len(b) > 2 && (strings.Contains(a, b) || strings.Contains(b, a) || a[:min(3, len(a))] == b[:3])
}

// checkName refuses new names that nobody could type or tell apart: what is there
// already under such a name can still be read and deleted.
func checkName(what, name string) error {
	shown := clean(shorten(name, 40))
	switch {
	case name == "":
		return usagef("the %s is empty", what)
	case len(name) > flags.MaxKeyBytes:
		return usagef("the %s %s has %d bytes; at most %d", what, shown, len(name), flags.MaxKeyBytes)
	case !utf8.ValidString(name):
		return usagef("the %s %s is not UTF-8", what, shown)
	case strings.ContainsFunc(name, flags.Unprintable):
		return usagef("the %s %s has control characters, or marks that turn the direction of text", what, shown)
	case strings.TrimSpace(name) != name:
		return usagef("the %s %q begins or ends with a space", what, shown)
	}
	return nil
}

// unknownVariant names what there is, and what was probably meant.
func unknownVariant(key string, d flags.Definition, name string) error {
	err := &exitError{code: exitUsage, err: fmt.Errorf("%s has no variant %q; it has %s", key, clean(shorten(name, 60)), variantNames(d))}
	for _, v := range d.Variants() {
		if strings.EqualFold(v.Name, name) || resembles(v.Name, name) {
			err.hint = "did you mean " + v.Name + "?"
			break
		}
	}
	return err
}

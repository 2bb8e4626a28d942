package main

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/textdiff"
)

// changeView is what a commit does to one entry, as it is shown.
type changeView struct {
	Entry   string          `json:"entry"`
	Summary string          `json:"summary"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`

	key flags.EntryKey
	old bool // what it was before is no longer kept
}

func changeOf(key flags.EntryKey, before, after []byte) changeView {
	return changeView{Entry: key.String(), Summary: flags.Summary(key, before, after), Before: orNull(before), After: orNull(after), key: key}
}

// text is the summary for people, who read rules as expressions.
func (v changeView) text() string {
	if v.old {
		return v.Summary
	}
	return textdiff.Summary(v.key, orNil(v.Before), orNil(v.After))
}

// lines is what the change did, line by line.
func (v changeView) lines() []string { return textdiff.Entry(v.key, orNil(v.Before), orNil(v.After)) }

// orNil takes back what orNull did.
func orNil(b json.RawMessage) []byte {
	if string(b) == "null" {
		return nil
	}
	return b
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

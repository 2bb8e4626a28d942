package main

import (
	"encoding/json"
	"slices"
	"strings"

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

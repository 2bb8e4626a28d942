package main

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	return changeView{Entry: key.String(), Summary: summary(key, before, after), Before: orNull(before), After: orNull(after)}
}

// orNull keeps an absent entry apart from an empty one in JSON.
func orNull(b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

// summary says in a few words what changed.
func summary(key flags.EntryKey, before, after []byte) string {
	switch {
	case after == nil:
		return key.String() + " deleted"
	case key.Kind == flags.KindOverride:
		return fmt.Sprintf("%s: %s", key, overrideVariant(after))
	case before == nil:
		return key.String() + " created"
	case key.Kind != flags.KindFlag:
		return key.String() + " changed"
	}
	was, err1 := flags.ParseDefinition(before)
	is, err2 := flags.ParseDefinition(after)
	if err1 != nil || err2 != nil {
		return key.String() + " changed"
	}
	parts := differences(was, is)
	if len(parts) == 0 {
		parts = []string{"unchanged"}
	}
	return fmt.Sprintf("%s: %s", key.Name, strings.Join(parts, ", "))
}

func differences(was, is flags.Definition) []string {
	var parts []string
	if was.Enabled() != is.Enabled() {
		parts = append(parts, fmt.Sprintf("state %s -> %s", stateText(was), stateText(is)))
	}
	if a, b := defaultText(was), defaultText(is); a != b {
		parts = append(parts, fmt.Sprintf("default %s -> %s", a, b))
	}
	for _, field := range []string{"variants", "targeting", "metadata", "description"} {
		if !bytes.Equal(was.Field(field), is.Field(field)) {
			parts = append(parts, field+" changed")
		}
	}
	if len(parts) == 0 && !bytes.Equal(was.Bytes(), is.Bytes()) {
		parts = append(parts, "other fields changed")
	}
	return parts
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

func overrideVariant(data []byte) string {
	var o struct {
		Variant string `json:"variant"`
	}
	if json.Unmarshal(data, &o) != nil {
		return string(data)
	}
	return o.Variant
}

func overrideBytes(variant string) ([]byte, error) {
	text, err := json.Marshal(map[string]string{"variant": variant})
	if err != nil {
		return nil, fmt.Errorf("encode override: %w", err)
	}
	return flags.Canonical(text)
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

package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Summary says in a few words what a change did to an entry: nil bytes before or
// after are those of an entry that was not there. A shared evaluator is called a
// segment, as it is wherever people change one.
func Summary(key EntryKey, before, after []byte) string { return SummaryWith(key, before, after, nil) }

// SummaryWith is Summary that says what targeting and segments became, in the words of
// show: it gets the new rule of a flag or of a segment, as the kind says, and returns ""
// for one that is too much for a summary.
func SummaryWith(key EntryKey, before, after []byte, show func(kind Kind, rule []byte) string) string {
	name := key.String()
	if key.Kind == KindEvaluator {
		name = fmt.Sprintf("segment %q", key.Name)
	}
	switch {
	case after == nil:
		return name + " deleted"
	case key.Kind == KindOverride:
		return fmt.Sprintf("%s: %s", name, OverrideVariant(after))
	case before == nil:
		return name + " created"
	case key.Kind == KindEvaluator:
		return name + became(show, key.Kind, after)
	case key.Kind != KindFlag:
		return name + " changed"
	}
	was, err1 := ParseDefinition(before)
	is, err2 := ParseDefinition(after)
	if err1 != nil || err2 != nil {
		return name + " changed"
	}
	parts := differences(was, is, show)
	if len(parts) == 0 {
		parts = []string{"unchanged"}
	}
	return fmt.Sprintf("%s: %s", key.Name, strings.Join(parts, ", "))
}

// became says what a rule has become, as far as it can be shown.
func became(show func(Kind, []byte) string, kind Kind, rule []byte) string {
	switch {
	case show == nil:
		return " changed"
	case rule == nil:
		return " removed"
	}
	if text := show(kind, rule); text != "" {
		return " -> " + text
	}
	return " changed"
}

func differences(was, is Definition, show func(Kind, []byte) string) []string {
	var parts []string
	if was.Enabled() != is.Enabled() {
		parts = append(parts, fmt.Sprintf("state %s -> %s", stateText(was), stateText(is)))
	}
	if a, b := defaultText(was), defaultText(is); a != b {
		parts = append(parts, fmt.Sprintf("default %s -> %s", a, b))
	}
	for _, field := range []string{"variants", "targeting", "metadata", "description"} {
		switch {
		case bytes.Equal(was.Field(field), is.Field(field)):
		case field == "targeting":
			parts = append(parts, field+became(show, KindFlag, is.Targeting()))
		default:
			parts = append(parts, field+" changed")
		}
	}
	if len(parts) == 0 && !bytes.Equal(was.Bytes(), is.Bytes()) {
		parts = append(parts, "other fields changed")
	}
	return parts
}

func stateText(d Definition) string {
	if d.Enabled() {
		return "ENABLED"
	}
	return "DISABLED"
}

func defaultText(d Definition) string {
	if name, ok := d.DefaultVariant(); ok {
		return name
	}
	return "none"
}

// OverrideVariant returns the variant that the bytes of an override name.
func OverrideVariant(data []byte) string {
	var o struct {
		Variant string `json:"variant"`
	}
	if json.Unmarshal(data, &o) != nil {
		return string(data)
	}
	return o.Variant
}

// OverrideBytes returns the bytes of an override to a variant. The error is a
// *ValidationError, for a name that is not UTF-8.
func OverrideBytes(variant string) ([]byte, error) {
	text, err := json.Marshal(map[string]string{"variant": variant})
	if err != nil {
		return nil, fmt.Errorf("encode override: %w", err)
	}
	return Canonical(text)
}

package vendorformat

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

// draft is a flag on its way.
type draft struct {
	t   *translation
	key string

	about    flags.About
	variants []variant
	// fallback is the default variant: what somebody gets whom the rules give nothing. Empty: the code's own default.
	fallback string
	rules    []rule
	other    any // what those get whom no rule matches: a variant, a split, or nil for the default variant

	disabled bool   // the code's own default is served
	off      bool   // offAs is served; the rules are kept behind that
	offAs    string // a variant; empty: the code's own default
	broken   bool   // something of it is lost
	unfit    bool   // it cannot be a flag here at all
}

type variant struct {
	name  string
	value json.RawMessage
}

// rule serves a variant or a split where a condition is true.
type rule struct{ when, serve any }

func (t *translation) newDraft(key string) *draft { return &draft{t: t, key: key} }

// note says what is not the same here.
func (d *draft) note(place, format string, args ...any) {
	d.t.add(Note{Flag: d.key, Place: place, Text: fmt.Sprintf(format, args...)})
}

// lose says what is left out, so that the flag will be switched off.
func (d *draft) lose(place, format string, args ...any) {
	d.broken = true
	d.t.add(Note{Flag: d.key, Place: place, Text: fmt.Sprintf(format, args...), Lost: true})
}

// leaveOut says why there will be no such flag.
func (d *draft) leaveOut(format string, args ...any) {
	d.unfit = true
	d.t.add(Note{Flag: d.key, Text: fmt.Sprintf(format, args...) + "; with --lossy there is no such flag, and code gets its own default", Lost: true})
}

func (d *draft) when(condition, serve any) {
	if condition != false { // which is never anybody
		d.rules = append(d.rules, rule{condition, serve})
	}
}

// keep ends the draft. path is where the flag is in the file.
func (d *draft) keep(path string) {
	if d.key == "" {
		d.t.fault(path, "a flag without a key")
	}
	if _, twice := d.t.flags[d.key]; twice {
		d.t.fault(path, "flag %q is defined twice, or by the variants of another; rename one", d.key)
	}
	if d.unfit || len(d.t.faults) > 0 {
		return
	}
	name, plain := d.other.(string)
	switch simple := plain && len(d.rules) == 0; {
	case d.broken && !d.off:
		d.off = true
		d.note("", "imported switched off, because something of it is lost: %s", d.offText(simple))
	case d.off && d.offAs != "" && d.other != nil && (!simple || name != d.offAs):
		d.note("", "it is off: %s", d.offText(simple))
	}
	text, err := d.definition()
	if err != nil {
		d.t.fault(path, "%s", err)
		return
	}
	d.t.keep(d.t.flags, path, d.key, text)
}

// offText is what a flag that is switched off does; a simple one has no rules.
func (d *draft) offText(simple bool) string {
	switch {
	case d.offAs == "":
		return "code gets its own default until `flagctl enable`"
	case simple:
		return fmt.Sprintf("its default is %q; switched on it would be %q", d.offAs, d.other)
	}
	return fmt.Sprintf("its first rule serves %q to everybody until it is taken away", d.offAs)
}

func (d *draft) definition() ([]byte, error) {
	variants := map[string]json.RawMessage{}
	for _, v := range d.variants {
		variants[v.name] = v.value
	}
	fields := map[string]any{"state": "ENABLED", "variants": variants, "defaultVariant": nil}
	if d.disabled || d.off && d.offAs == "" {
		fields["state"] = "DISABLED"
	}
	if targeting := d.targeting(); targeting != nil {
		fields["targeting"] = targeting
	}
	if d.fallback != "" {
		fields["defaultVariant"] = d.fallback
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	definition, err := flags.ParseDefinition(text)
	if err != nil {
		return nil, err
	}
	return definition.WithAbout(d.about).Bytes(), nil
}

// targeting is the rules as a chain; a variant for all others becomes the default one.
func (d *draft) targeting() any {
	rules, other := d.rules, d.other
	name, plain := other.(string)
	held := d.off && d.offAs != ""
	switch {
	case held && plain && len(rules) == 0:
		d.fallback = d.offAs
		return nil
	case held:
		rules = append([]rule{{true, d.offAs}}, rules...)
		d.fallback = d.offAs
	case plain:
		d.fallback, other = name, nil
	}
	if len(rules) == 0 {
		return other
	}
	var chain []any
	for _, r := range rules {
		chain = append(chain, r.when, r.serve)
	}
	if other != nil {
		chain = append(chain, other)
	}
	return operation("if", chain...)
}

// named gives variants that have no names, or none to tell them apart by, names:
// those of their values where these are short words, else by their number.
func named(values []json.RawMessage, names []string) []variant {
	out, seen := make([]variant, len(values)), map[string]bool{}
	for i, value := range values {
		name := ""
		if i < len(names) {
			name = names[i]
		}
		if name == "" {
			name = wordOf(value)
		}
		if name == "" || seen[name] || strings.ContainsFunc(name, flags.Unprintable) {
			name = ""
			for n := i + 1; name == "" || seen[name]; n++ {
				name = "variation-" + strconv.Itoa(n)
			}
		}
		seen[name] = true
		out[i] = variant{name, value}
	}
	return out
}

// wordOf is a value as a name, or "".
func wordOf(value json.RawMessage) string {
	word := string(value)
	switch word {
	case "true":
		return "on"
	case "false":
		return "off"
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		word = text
	}
	if len(word) > 40 || !utf8.ValidString(word) || strings.ContainsAny(word, "{[ \n\t") || word == "null" {
		return ""
	}
	return word
}

// alike checks that the variants can be those of one flag here.
func (d *draft) alike() {
	kind := ""
	for _, v := range d.variants {
		k := kindOf(v.value)
		switch {
		case k == "null" || k == "array":
			d.leaveOut("variation %q is JSON %s; variants here are booleans, strings, numbers or objects", v.name, k)
			return
		case kind != "" && k != kind:
			d.leaveOut("its variations are of several types, %s and %s; here they are of one", kind, k)
			return
		}
		kind = k
	}
}

func kindOf(value json.RawMessage) string {
	switch c := strings.TrimSpace(string(value)); {
	case c == "" || c[0] == 'n':
		return "null"
	case c[0] == '{':
		return "object"
	case c[0] == '[':
		return "array"
	case c[0] == '"':
		return "string"
	case c[0] == 't' || c[0] == 'f':
		return "boolean"
	}
	return "number"
}

// aboutText fits a text from elsewhere into what a flag may be told of.
func (d *draft) aboutText(field, text string) string {
	fit := strings.Map(func(r rune) rune {
		if flags.Unprintable(r) {
			return -1
		}
		return r
	}, text)
	if len(fit) > flags.MaxAboutBytes {
		fit = strings.ToValidUTF8(fit[:flags.MaxAboutBytes], "")
	}
	if fit != text {
		d.note("", "%s is shortened to what fits: %d bytes without control characters", field, flags.MaxAboutBytes)
	}
	return fit
}

// tags takes words that may not have commas, and must fit together.
func (d *draft) tags(words []string) {
	var kept []string
	for _, w := range words {
		kept = append(kept, strings.TrimSpace(strings.ReplaceAll(w, ",", " ")))
	}
	if len(kept) > 0 {
		d.about.Tags = strings.Split(d.aboutText("the list of tags", strings.Join(kept, ",")), ",")
	}
}

package vendorformat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

type (
	fliptFile struct {
		Version  string         `json:"version"`
		Flags    []fliptFlag    `json:"flags"`
		Segments []fliptSegment `json:"segments"`
	}
	fliptFlag struct {
		Key         string         `json:"key"`
		Name        string         `json:"name"`
		Type        string         `json:"type"`
		Description string         `json:"description"`
		Enabled     bool           `json:"enabled"`
		Metadata    map[string]any `json:"metadata"`
		Variants    []fliptVariant `json:"variants"`
		Rules       []fliptRule    `json:"rules"`
		Rollouts    []fliptRollout `json:"rollouts"`
	}
	fliptVariant struct {
		Key        string          `json:"key"`
		Default    bool            `json:"default"`
		Attachment json.RawMessage `json:"attachment"`
	}
	fliptRule struct {
		Segment       json.RawMessage `json:"segment"`
		Segments      []string        `json:"segments"`
		Operator      string          `json:"operator"`
		Rank          int             `json:"rank"`
		Distributions []struct {
			Variant string  `json:"variant"`
			Rollout float64 `json:"rollout"`
		} `json:"distributions"`
	}
	fliptRollout struct {
		Segment   json.RawMessage `json:"segment"`
		Threshold *struct {
			Percentage float64 `json:"percentage"`
			Value      bool    `json:"value"`
		} `json:"threshold"`
	}
	fliptSegment struct {
		Key         string            `json:"key"`
		MatchType   string            `json:"match_type"`
		Constraints []fliptConstraint `json:"constraints"`
	}
	// fliptSegments is which segments must match: some, by key, and whether all.
	fliptSegments struct {
		Key      string   `json:"key"`
		Keys     []string `json:"keys"`
		Operator string   `json:"operator"`
		Value    bool     `json:"value"`
	}
)

const (
	fliptHash = "who is in which share is decided by another hash: entities may move between variants once"
	fliptText = "attributes: Flipt has text only; here a number and the same digits as text are alike where they are compared whole, not where parts of text are"
)

func flipt(t *translation, data []byte) error {
	var file fliptFile
	if err := t.decode(data, &file); err != nil {
		return err
	}
	if file.Flags == nil && file.Segments == nil {
		t.fault("$", `no "flags" and no "segments"; want a features file of Flipt, or what "flipt export" writes`)
	}
	f := &fliptTranslation{translation: t, known: map[string]bool{}}
	for i, s := range file.Segments {
		f.segment(fmt.Sprintf("$.segments[%d]", i), s)
	}
	for i, flag := range file.Flags {
		path := fmt.Sprintf("$.flags[%d]", i)
		switch flag.Type {
		case "BOOLEAN_FLAG_TYPE":
			f.boolean(path, flag)
		case "", "VARIANT_FLAG_TYPE":
			f.variants(path, flag)
		default:
			t.fault(path+".type", "unknown type of flag %q", flag.Type)
		}
	}
	if len(file.Segments) > 0 {
		t.add(Note{Place: "all segments", Text: fliptText})
	}
	return nil
}

// fliptTranslation is the translation of one file of Flipt.
type fliptTranslation struct {
	*translation

	known map[string]bool // segments, and whether they could be kept
}

func (f *fliptTranslation) draft(flag fliptFlag, key string) *draft {
	d := f.newDraft(key)
	d.about.Description = firstText(flag.Description, flag.Name)
	if len(flag.Metadata) > 0 {
		d.note("", "its metadata is not kept")
	}
	return d
}

// boolean: rollouts in order, then the flag's own value. It is never off.
func (f *fliptTranslation) boolean(path string, flag fliptFlag) {
	d := f.draft(flag, flag.Key)
	d.variants = named([]json.RawMessage{[]byte("true"), []byte("false")}, nil)
	name := map[bool]string{true: "on", false: "off"}
	d.offAs = "off"
	d.other = name[flag.Enabled]
	for i, r := range flag.Rollouts {
		at, place := fmt.Sprintf("%s.rollouts[%d]", path, i), "rollout "+strconv.Itoa(i+1)
		if r.Threshold != nil {
			d.note(place, fliptHash)
			if p := r.Threshold.Percentage; p >= 100 {
				d.when(true, name[r.Threshold.Value])
			} else {
				d.when(inPercent(p, by{}, false), name[r.Threshold.Value])
			}
			continue
		}
		s, ok := f.segmentsOf(at, r.Segment)
		if when, kept := f.match(at, d, place, s); ok && kept {
			d.when(when, name[s.Value])
		}
	}
	d.keep(path)
}

// variants: the first rule that matches decides, also where its shares leave somebody out.
func (f *fliptTranslation) variants(path string, flag fliptFlag) {
	d := f.draft(flag, flag.Key)
	attached := false
	for _, v := range flag.Variants {
		text, _ := json.Marshal(v.Key) // a string always has a JSON form
		d.variants = append(d.variants, variant{v.Key, text})
		attached = attached || len(v.Attachment) > 0 && kindOf(v.Attachment) != "null"
	}
	f.fill(path, d, flag, by{})
	if !attached || d.key == "" {
		return
	}
	d.note("", "its attachments are a flag of their own, %s", flag.Key+".attachment")
	a := f.draft(flag, flag.Key+".attachment")
	for _, v := range flag.Variants {
		if len(v.Attachment) == 0 || kindOf(v.Attachment) == "null" {
			v.Attachment = []byte("{}")
		}
		a.variants = append(a.variants, variant{v.Key, v.Attachment})
	}
	a.alike()
	f.fill(path, a, flag, by{seed: flag.Key}) // the hash of the flag itself: both must agree on everybody
}

func (f *fliptTranslation) fill(path string, d *draft, flag fliptFlag, b by) {
	for _, v := range flag.Variants {
		if v.Default {
			d.offAs, d.fallback = v.Key, v.Key
			d.other = v.Key
		}
	}
	d.off = !flag.Enabled
	rules := slices.Clone(flag.Rules)
	if !slices.ContainsFunc(rules, func(r fliptRule) bool { return r.Rank == 0 }) {
		slices.SortStableFunc(rules, func(a, b fliptRule) int { return a.Rank - b.Rank })
	}
	for i, r := range rules {
		at, place := fmt.Sprintf("%s.rules[%d]", path, i), "rule "+strconv.Itoa(i+1)
		s, ok := fliptSegments{Keys: r.Segments, Operator: r.Operator}, true
		if len(r.Segment) > 0 {
			s, ok = f.segmentsOf(at, r.Segment)
		}
		if when, kept := f.match(at, d, place, s); ok && kept {
			d.when(when, f.serve(at, d, place, r, b))
		}
	}
	d.keep(path)
}

func (f *fliptTranslation) serve(path string, d *draft, place string, r fliptRule, b by) any {
	var shares []share
	sum := 0.0
	for i, s := range r.Distributions {
		if s.Rollout < 0 || s.Rollout > 100 {
			f.fault(fmt.Sprintf("%s.distributions[%d]", path, i), "a rollout is from 0 to 100, this is %g", s.Rollout)
			return nil
		}
		if !slices.ContainsFunc(d.variants, func(v variant) bool { return v.name == s.Variant }) {
			f.fault(fmt.Sprintf("%s.distributions[%d]", path, i), "no variant %q", s.Variant)
			return nil
		}
		sum += s.Rollout
		shares = append(shares, share{s.Variant, int(s.Rollout*percentParts/100 + 0.5)})
	}
	serve := split(merged(shares), b)
	if serve == nil {
		d.note(place, "it matches and serves no variant: here that is the default")
		return nil
	}
	if _, plain := serve.(string); !plain || sum < 99.95 {
		d.note(place, fliptHash)
	}
	if sum < 99.95 { // the rest is left with the default, and looks at no other rule
		return operation("if", inPercent(sum, by{seed: firstText(b.seed, d.key) + "/rollout"}, false), serve, nil)
	}
	return serve
}

// segmentsOf reads a segment, which is a name, a list of names, or an object with them.
func (f *fliptTranslation) segmentsOf(path string, raw json.RawMessage) (s fliptSegments, ok bool) {
	if json.Unmarshal(raw, &s.Key) == nil || json.Unmarshal(raw, &s.Keys) == nil || json.Unmarshal(raw, &s) == nil {
		return s, true
	}
	f.fault(path+".segment", `want a name, or an object with "keys" and "operator"`)
	return s, false
}

func (f *fliptTranslation) match(path string, d *draft, place string, s fliptSegments) (any, bool) {
	keys := s.Keys
	if s.Key != "" && len(keys) == 0 {
		keys = []string{s.Key}
	}
	if len(keys) == 0 {
		f.fault(path, "neither a segment nor a threshold")
		return nil, false
	}
	var terms []any
	for _, key := range keys {
		kept, known := f.known[key]
		switch {
		case !known:
			f.fault(path+".segment", "no segment %q", key)
			return nil, false
		case !kept:
			d.lose(place, "it looks at segment %q, which cannot be kept", key)
			return nil, false
		}
		terms = append(terms, segment(key))
	}
	if s.Operator == "AND_SEGMENT_OPERATOR" {
		return all(terms...), true
	}
	return either(terms...), true
}

func (f *fliptTranslation) segment(path string, s fliptSegment) {
	d := &draft{t: f.translation}
	place := fmt.Sprintf("segment %q", s.Key)
	var terms []any
	for i, c := range s.Constraints {
		term := c.term(func(text string) { d.note(place, "%s", text) })
		if term == nil {
			d.lose(place, "constraint %d: %s %s: there is no such comparison here", i+1, strings.ToLower(strings.TrimSuffix(c.Type, "_COMPARISON_TYPE")), c.Operator)
			continue
		}
		terms = append(terms, term)
	}
	when := all(terms...)
	if s.MatchType == "ANY_MATCH_TYPE" && len(terms) > 0 {
		when = either(terms...)
	}
	f.known[s.Key] = !d.broken
	if !d.broken {
		f.keepSegment(path, s.Key, when)
	}
}

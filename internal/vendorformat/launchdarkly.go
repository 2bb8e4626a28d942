package vendorformat

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The data that LaunchDarkly's SDKs read, from a file or from a relay.
type (
	ldFile struct {
		Flags      map[string]ldFlag          `json:"flags"`
		FlagValues map[string]json.RawMessage `json:"flagValues"`
		Segments   map[string]ldSegment       `json:"segments"`
		Items      []ldItem                   `json:"items"` // the other form: of the REST API
	}
	ldFlag struct {
		ldState
		Variations []json.RawMessage `json:"variations"`
		Deleted    bool              `json:"deleted"`
	}
	// ldState is what differs between environments.
	ldState struct {
		On             bool       `json:"on"`
		Prerequisites  []ldPrereq `json:"prerequisites"`
		Targets        []ldTarget `json:"targets"`
		ContextTargets []ldTarget `json:"contextTargets"`
		Rules          []ldRule   `json:"rules"`
		Fallthrough    ldServe    `json:"fallthrough"`
		OffVariation   *int       `json:"offVariation"`
	}
	ldPrereq struct {
		Key string `json:"key"`
	}
	ldTarget struct {
		ContextKind string   `json:"contextKind"`
		Values      []string `json:"values"`
		Variation   int      `json:"variation"`
	}
	ldServe struct {
		Variation *int       `json:"variation"`
		Rollout   *ldRollout `json:"rollout"`
	}
	ldRule struct {
		ldServe
		Clauses []ldClause `json:"clauses"`
	}
	ldRollout struct {
		Kind        string     `json:"kind"`
		ContextKind string     `json:"contextKind"`
		Variations  []ldWeight `json:"variations"`
		BucketBy    string     `json:"bucketBy"`
		Seed        *int64     `json:"seed"`
	}
	ldWeight struct {
		Variation int `json:"variation"`
		Weight    int `json:"weight"`
	}
	ldClause struct {
		ContextKind string            `json:"contextKind"`
		Attribute   string            `json:"attribute"`
		Op          string            `json:"op"`
		Values      []json.RawMessage `json:"values"`
		Negate      bool              `json:"negate"`
	}
)

const (
	ldHash  = "who is in which share is decided by another hash: users may move between variants once"
	ldLists = "attributes: LaunchDarkly compares each element of an attribute that is a list; here a list is compared as a whole, and equals nothing. " +
		"For such attributes write contains(attribute, value)"
	ldOff = "switching off: `flagctl disable` gives the code's own default, not the off variation; serve that with a first rule for everybody"
)

func launchDarkly(t *translation, data []byte) error {
	var file ldFile
	if err := t.decode(data, &file); err != nil {
		return err
	}
	if file.Flags == nil && file.FlagValues == nil && file.Items == nil {
		t.fault("$", `no "flags" and no "items"; want the data of an SDK, or the answer of GET /api/v2/flags/PROJECT?summary=0`)
	}
	ld := &ldTranslation{translation: t, file: file, segments: map[string]ldSegmentResult{}}
	t.add(Note{Place: "all flags", Text: ldOff})
	for _, key := range slices.Sorted(maps.Keys(file.Segments)) {
		ld.segment(key)
	}
	for _, key := range slices.Sorted(maps.Keys(file.Flags)) {
		if flag := file.Flags[key]; !flag.Deleted {
			ld.flag(key, flag)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(file.FlagValues)) {
		d := t.newDraft(key)
		d.variants = named([]json.RawMessage{file.FlagValues[key]}, nil)
		d.alike()
		d.fallback = d.variants[0].name
		d.keep("$.flagValues." + key)
	}
	for i, item := range file.Items {
		ld.item(fmt.Sprintf("$.items[%d]", i), item)
	}
	if ld.clauses {
		t.add(Note{Place: "all rules", Text: ldLists})
	}
	return nil
}

// ldTranslation is the translation of one file of LaunchDarkly.
type ldTranslation struct {
	*translation

	file     ldFile
	segments map[string]ldSegmentResult
	clauses  bool // a clause has been read
}

func (ld *ldTranslation) flag(key string, flag ldFlag) {
	d := ld.newDraft(key)
	d.variants = named(flag.Variations, nil)
	ld.state("$.flags."+key, d, flag.ldState)
}

// state translates what decides about a flag: off, prerequisites, targets, rules,
// everybody else, in this order.
func (ld *ldTranslation) state(path string, d *draft, s ldState) {
	d.alike()
	if s.OffVariation != nil {
		d.offAs = ld.variation(path+".offVariation", d, *s.OffVariation)
	}
	d.off = !s.On
	for _, p := range s.Prerequisites {
		d.lose("prerequisites", "it depends on flag %q; a flag here cannot depend on another", p.Key)
	}
	ld.targets(path, d, s)
	for i, r := range s.Rules {
		at, place := fmt.Sprintf("%s.rules[%d]", path, i), "rule "+strconv.Itoa(i+1)
		if when, ok := ld.all(at, d, place, r.Clauses, nil); ok {
			d.when(when, ld.serve(at, d, place, r.ldServe))
		}
	}
	if s.On || s.Fallthrough != (ldServe{}) {
		d.other = ld.serve(path+".fallthrough", d, "fallthrough", s.Fallthrough)
	}
	d.keep(path)
}

// variation returns the name of a variant by its number.
func (ld *ldTranslation) variation(path string, d *draft, n int) string {
	if n < 0 || n >= len(d.variants) {
		ld.fault(path, "variation %d of %d; they count from 0", n, len(d.variants))
		return ""
	}
	return d.variants[n].name
}

// targets are individuals. Those of contextTargets decide about the order; one of
// users without values stands for that of targets with the same variation.
func (ld *ldTranslation) targets(path string, d *draft, s ldState) {
	list := s.ContextTargets
	if len(list) == 0 {
		list = s.Targets
	}
	for i, target := range list {
		values := target.Values
		for _, user := range s.Targets {
			if len(values) == 0 && isUser(target.ContextKind) && user.Variation == target.Variation {
				values = user.Values
			}
		}
		place := "targets " + strconv.Itoa(i+1)
		name := ld.attribute(d, place, target.ContextKind, "key")
		if len(values) > 0 {
			d.when(oneOf(name, words(values)), ld.variation(fmt.Sprintf("%s.targets[%d]", path, i), d, target.Variation))
		}
	}
}

func words(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

// serve translates a variation or a rollout.
func (ld *ldTranslation) serve(path string, d *draft, place string, s ldServe) any {
	switch {
	case s.Variation != nil:
		return ld.variation(path+".variation", d, *s.Variation)
	case s.Rollout == nil || len(s.Rollout.Variations) == 0:
		ld.fault(path, "neither a variation nor a rollout")
		return nil
	}
	var shares []share
	total := 0
	for i, w := range s.Rollout.Variations {
		if w.Weight < 0 || w.Weight > ldWhole {
			ld.fault(fmt.Sprintf("%s.rollout.variations[%d]", path, i), "a weight is from 0 to %d, this is %d", ldWhole, w.Weight)
			return nil
		}
		weight := min(w.Weight, ldWhole-total) // beyond the whole there is nobody left
		total += weight
		shares = append(shares, share{ld.variation(path+".rollout", d, w.Variation), weight})
	}
	shares[len(shares)-1].weight += ldWhole - total
	return ld.rollout(d, place, *s.Rollout, merged(shares))
}

// ldWhole is the sum of the weights of a rollout. What is missing goes to the last.
const ldWhole = 100_000

// merged adds up the shares of a variant that is named twice, as in experiments.
func merged(shares []share) []share {
	var out []share
	for _, s := range shares {
		if i := slices.IndexFunc(out, func(o share) bool { return o.variant == s.variant }); i >= 0 {
			out[i].weight += s.weight
			continue
		}
		out = append(out, s)
	}
	return out
}

func (ld *ldTranslation) rollout(d *draft, place string, r ldRollout, shares []share) any {
	b := by{attribute: ld.attribute(d, place, r.ContextKind, orKey(r.BucketBy))}
	if b.attribute == targetingKey {
		b.attribute = ""
	}
	if r.Seed != nil {
		b.seed = strconv.FormatInt(*r.Seed, 10)
	}
	rollout := split(shares, b)
	if _, whole := rollout.(string); whole || rollout == nil {
		return rollout
	}
	d.note(place, ldHash)
	if r.Kind == "experiment" {
		d.note(place, "it is an experiment: what was measured there stays there, untracked shares are shares")
	}
	if b.attribute == "" {
		return rollout
	}
	// Who lacks the attribute is at the very beginning of the scale.
	return operation("if", attribute(b.attribute), rollout, shares[0].variant)
}

func orKey(attribute string) string {
	if attribute == "" {
		return "key"
	}
	return attribute
}

func isUser(kind string) bool { return kind == "" || kind == "user" }

// attribute returns what an attribute of LaunchDarkly is called here: that of a user
// as it is, that of another kind of context within an object of that name.
func (ld *ldTranslation) attribute(d *draft, place, kind, name string) string {
	steps := []string{name}
	if kind != "" && strings.HasPrefix(name, "/") {
		steps = strings.Split(name[1:], "/")
		for i, s := range steps {
			steps[i] = strings.NewReplacer("~1", "/", "~0", "~").Replace(s)
		}
	}
	for _, s := range steps {
		if strings.Contains(s, ".") {
			d.note(place, "attribute %q has a dot: here that is a step into an object", s)
		}
	}
	if !isUser(kind) {
		d.note(place, "it looks at a context of kind %q: here at the attribute %q, an object with %q and the rest", kind, kind, "key")
		return path(append([]string{kind}, steps...)...)
	}
	if len(steps) == 1 && steps[0] == "key" {
		return targetingKey
	}
	return path(steps...)
}

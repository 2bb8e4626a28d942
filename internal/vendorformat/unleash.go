package vendorformat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An export of Unleash, or what its SDKs are sent: there, features hold what an
// export keeps in lists beside them.
type (
	unleashFile struct {
		Features     []unleashFeature     `json:"features"`
		Strategies   []unleashStrategy    `json:"featureStrategies"`
		Environments []unleashEnvironment `json:"featureEnvironments"`
		Segments     []unleashSegment     `json:"segments"`
		Tags         []unleashTag         `json:"featureTags"`
		Dependencies []struct {
			Feature string `json:"feature"`
		} `json:"dependencies"`
	}
	unleashFeature struct {
		Name         string            `json:"name"`
		Description  string            `json:"description"`
		Type         string            `json:"type"`
		Stale        bool              `json:"stale"`
		Archived     bool              `json:"archived"`
		Enabled      *bool             `json:"enabled"`
		Strategies   []unleashStrategy `json:"strategies"`
		Variants     []unleashVariant  `json:"variants"`
		Dependencies []json.RawMessage `json:"dependencies"`
	}
	unleashEnvironment struct {
		Feature     string           `json:"featureName"`
		Environment string           `json:"environment"`
		Enabled     bool             `json:"enabled"`
		Variants    []unleashVariant `json:"variants"`
	}
	unleashStrategy struct {
		Name        string              `json:"name"`
		Feature     string              `json:"featureName"`
		Environment string              `json:"environment"`
		Parameters  map[string]any      `json:"parameters"`
		Constraints []unleashConstraint `json:"constraints"`
		Segments    []int               `json:"segments"`
		Variants    []unleashVariant    `json:"variants"`
		Disabled    bool                `json:"disabled"`
		SortOrder   int                 `json:"sortOrder"`
	}
	unleashVariant struct {
		Name       string `json:"name"`
		Weight     int    `json:"weight"`
		Stickiness string `json:"stickiness"`
		Payload    *struct {
			Type  string `json:"type"`
			Value string `json:"value"`
		} `json:"payload"`
		Overrides []struct {
			ContextName string   `json:"contextName"`
			Values      []string `json:"values"`
		} `json:"overrides"`
	}
	unleashSegment struct {
		ID          int                 `json:"id"`
		Name        string              `json:"name"`
		Constraints []unleashConstraint `json:"constraints"`
	}
	unleashTag struct {
		Feature string `json:"featureName"`
		Type    string `json:"tagType"`
		Value   string `json:"tagValue"`
	}
)

const (
	unleashHash = "who is in which share is decided by another hash: users may move in or out once"
	unleashUser = "userId is the targeting key here"
)

func unleash(t *translation, data []byte) error {
	var file unleashFile
	if err := t.decode(data, &file); err != nil {
		return err
	}
	if file.Features == nil {
		t.fault("$", `no "features"; want an export of Unleash, or the answer of GET /api/client/features`)
	}
	u := &unleashTranslation{translation: t, file: file, segments: map[int]string{}}
	t.add(Note{Place: "all flags", Text: unleashUser})
	for i, s := range file.Segments {
		u.segment(fmt.Sprintf("$.segments[%d]", i), s)
	}
	for i, f := range file.Features {
		u.feature(fmt.Sprintf("$.features[%d]", i), f)
	}
	return nil
}

// unleashTranslation is the translation of one file of Unleash.
type unleashTranslation struct {
	*translation

	file     unleashFile
	segments map[int]string // names of those that could be kept
}

func (u *unleashTranslation) feature(path string, f unleashFeature) {
	if f.Archived {
		u.add(Note{Flag: f.Name, Text: "it is archived, and left out"})
		return
	}
	enabled, strategies, variants, ok := u.state(path, f)
	if !ok {
		return
	}
	d := u.newDraft(f.Name)
	d.variants = named([]json.RawMessage{[]byte("true"), []byte("false")}, nil)
	d.offAs, d.other, d.off = "off", "off", !enabled
	u.about(d, f)
	depends := slices.ContainsFunc(u.file.Dependencies, func(d struct {
		Feature string `json:"feature"`
	}) bool {
		return d.Feature == f.Name
	})
	if depends || len(f.Dependencies) > 0 {
		d.lose("dependencies", "it depends on another feature; a flag here cannot")
	}
	ways := u.strategies(d, strategies)
	for _, w := range ways {
		d.when(w.when, "on")
	}
	if len(strategies) == 0 {
		d.other = "on"
	}
	d.keep(path)
	u.variant(path, d, variants, ways, len(strategies) == 0)
}

// state is what the feature is in the environment that was exported.
func (u *unleashTranslation) state(path string, f unleashFeature) (enabled bool, strategies []unleashStrategy, variants []unleashVariant, ok bool) {
	strategies, variants = f.Strategies, f.Variants
	if f.Enabled != nil {
		enabled = *f.Enabled
	}
	var seen []string
	chosen := u.Environment
	for _, e := range u.file.Environments {
		if e.Feature != f.Name {
			continue
		}
		if seen = append(seen, e.Environment); u.Environment != "" && e.Environment != u.Environment {
			continue
		}
		chosen, enabled = e.Environment, e.Enabled
		if len(e.Variants) > 0 {
			variants = e.Variants
		}
	}
	if len(seen) > 1 && u.Environment == "" || len(seen) > 0 && u.Environment != "" && !slices.Contains(seen, u.Environment) {
		u.fault(path, "no environment %q of feature %q; choose with --environment one of: %s", u.Environment, f.Name, strings.Join(seen[:min(len(seen), 20)], ", "))
		return false, nil, nil, false
	}
	for _, s := range u.file.Strategies {
		if s.Feature == f.Name && (s.Environment == "" || chosen == "" || s.Environment == chosen) {
			strategies = append(strategies, s)
		}
	}
	slices.SortStableFunc(strategies, func(a, b unleashStrategy) int { return a.SortOrder - b.SortOrder })
	return enabled, strategies, variants, true
}

var unleashKinds = map[string]string{"release": "release", "experiment": "experiment", "operational": "ops", "kill-switch": "ops", "permission": "permission"}

func (u *unleashTranslation) about(d *draft, f unleashFeature) {
	d.about.Description = f.Description
	d.about.Kind = unleashKinds[f.Type]
	d.about.Permanent = f.Type == "kill-switch" || f.Type == "permission" // which Unleash never expects to go
	var tags []string
	for _, tag := range u.file.Tags {
		switch {
		case tag.Feature != f.Name:
		case tag.Type == "simple" || tag.Type == "":
			tags = append(tags, tag.Value)
		default:
			tags = append(tags, tag.Type+":"+tag.Value)
		}
	}
	if f.Stale {
		tags = append(tags, "stale")
	}
	d.tags(tags)
}

// way is a strategy: a condition, and the variants of those it lets in.
type way struct {
	when     any
	place    string
	group    string
	variants []unleashVariant
}

// strategies: any of them enables the feature. One that is disabled does not count,
// but a feature with only such ones is not one without.
func (u *unleashTranslation) strategies(d *draft, list []unleashStrategy) []way {
	var ways []way
	for i, s := range list {
		place := "strategy " + strconv.Itoa(i+1)
		if s.Disabled {
			d.note(place, "it is disabled, and left out")
			continue
		}
		when, ok := u.strategy(d, place, s)
		if ok {
			ways = append(ways, way{when, place, parameter(s, "groupId"), s.Variants})
		}
	}
	return ways
}

func parameter(s unleashStrategy, name string) string {
	v, ok := s.Parameters[name]
	if !ok || v == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(v))
}

// strategy: segments and constraints must all be true, and then its own condition.
func (u *unleashTranslation) strategy(d *draft, place string, s unleashStrategy) (any, bool) {
	var terms []any
	for _, id := range s.Segments {
		name, kept := u.segments[id]
		if !kept {
			d.lose(place, "it looks at segment %d, which the file does not define, or which cannot be kept", id)
			return nil, false
		}
		terms = append(terms, segment(name))
	}
	for i, c := range s.Constraints {
		term, why := c.term(func(text string) { d.note(place, "%s", text) })
		if why != "" {
			d.lose(place, "constraint %d: %s %s: %s", i+1, c.ContextName, c.Operator, why)
			return nil, false
		}
		terms = append(terms, term)
	}
	own, why := u.own(d, place, s)
	if why != "" {
		d.lose(place, "%s: %s", s.Name, why)
		return nil, false
	}
	if own == false {
		return false, true
	}
	if own != true {
		terms = append(terms, own)
	}
	return all(terms...), true
}

// own is the condition of the strategy itself.
func (u *unleashTranslation) own(d *draft, place string, s unleashStrategy) (any, string) {
	percentage, stickiness := parameter(s, "percentage"), "userId"
	switch s.Name {
	case "default":
		return true, ""
	case "userWithId":
		return oneOf(targetingKey, words(listed(parameter(s, "userIds")))), ""
	case "remoteAddress":
		addresses := listed(parameter(s, "IPs"))
		if slices.ContainsFunc(addresses, func(a string) bool { return strings.Contains(a, "/") }) {
			return nil, "there are no ranges of addresses here"
		}
		return oneOf("remoteAddress", words(addresses)), ""
	case "flexibleRollout":
		percentage, stickiness = parameter(s, "rollout"), firstText(parameter(s, "stickiness"), "default")
	case "gradualRolloutUserId":
	case "gradualRolloutSessionId":
		stickiness = "sessionId"
	case "gradualRolloutRandom":
		stickiness = "random"
	default:
		return nil, "there is no such strategy here"
	}
	percent, err := strconv.ParseFloat(percentage, 64)
	if err != nil || percent < 0 || percent > 100 {
		return nil, fmt.Sprintf("%q is no percentage", percentage)
	}
	b, term := u.sticky(d, place, stickiness), any(true)
	if b.seed = parameter(s, "groupId"); b.seed == "" {
		b.seed = d.key
	}
	if percent < 100 {
		d.note(place, unleashHash)
		term = inPercent(percent, b, false)
	} else if stickiness != "default" && stickiness != "random" {
		term = attribute(firstText(b.attribute, targetingKey)) // without what it goes by, nobody is in
	}
	return term, ""
}

func listed(text string) []string {
	var out []string
	for s := range strings.SplitSeq(text, ",") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// sticky is what a share goes by, "" being the targeting key.
func (u *unleashTranslation) sticky(d *draft, place, stickiness string) by {
	switch stickiness {
	case "userId":
		return by{}
	case "random":
		d.note(place, "its shares are by chance at each question there; here they stay with the targeting key")
		return by{}
	case "default":
		d.note(place, "its shares go by user, else session, else chance there; here by the targeting key, and who has none is outside")
		return by{}
	}
	return by{attribute: unleashName(stickiness)}
}

// unleashName is what a field of the context is called here.
func unleashName(field string) string {
	if field == "userId" {
		return targetingKey
	}
	return field
}

func (u *unleashTranslation) segment(path string, s unleashSegment) {
	if s.Constraints == nil {
		u.add(Note{Place: fmt.Sprintf("segment %q", s.Name), Text: "the export names it and does not define it; flags that use it are listed, if there are any"})
		return
	}
	d := &draft{t: u.translation}
	place := fmt.Sprintf("segment %q", s.Name)
	var terms []any
	for i, c := range s.Constraints {
		term, why := c.term(func(text string) { d.note(place, "%s", text) })
		if why != "" {
			d.lose(place, "constraint %d: %s %s: %s", i+1, c.ContextName, c.Operator, why)
		}
		terms = append(terms, term)
	}
	if !d.broken {
		name := firstText(s.Name, strconv.Itoa(s.ID))
		u.segments[s.ID] = name
		u.keepSegment(path, name, all(terms...))
	}
}

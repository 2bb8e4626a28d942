package vendorformat

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// A file of GO Feature Flag: flags by key.
type (
	goffFlag struct {
		Variations      map[string]json.RawMessage `json:"variations"`
		Targeting       []goffRule                 `json:"targeting"`
		DefaultRule     *goffRule                  `json:"defaultRule"`
		Disable         bool                       `json:"disable"`
		BucketingKey    string                     `json:"bucketingKey"`
		Metadata        map[string]any             `json:"metadata"`
		Experimentation json.RawMessage            `json:"experimentation"`
		Scheduled       []json.RawMessage          `json:"scheduledRollout"`
	}
	goffRule struct {
		Name        string             `json:"name"`
		Query       string             `json:"query"`
		Variation   string             `json:"variation"`
		Percentage  map[string]float64 `json:"percentage"`
		Progressive json.RawMessage    `json:"progressiveRollout"`
		Disable     bool               `json:"disable"`
	}
)

const goffHash = "who is in which share is decided by another hash: users may move between variations once"

func goFeatureFlag(t *translation, data []byte) error {
	var file map[string]goffFlag
	if err := t.decode(data, &file); err != nil {
		return err
	}
	if file == nil {
		t.fault("$", "no flags; want an object of them by key")
	}
	for _, key := range slices.Sorted(maps.Keys(file)) {
		f := file[key]
		d := t.newDraft(key)
		f.fill(fmt.Sprintf("$.%s", key), d)
		d.keep("$." + key)
	}
	return nil
}

func (f goffFlag) fill(path string, d *draft) {
	if len(f.Variations) == 0 {
		d.t.fault(path, `no "variations"; want a file of GO Feature Flag 1.0 or later`)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(f.Variations)) {
		d.variants = append(d.variants, variant{name, f.Variations[name]})
	}
	d.alike()
	d.disabled = f.Disable
	f.about(d)
	if len(f.Scheduled) > 0 {
		d.lose("scheduledRollout", "there are no changes that make themselves here; %d steps are left out", len(f.Scheduled))
	}
	if kindOf(f.Experimentation) != "null" {
		d.lose("experimentation", "a flag here does not begin and end by itself")
	}
	for i, r := range f.Targeting {
		place := "rule " + strconv.Itoa(i+1)
		if r.Disable {
			d.note(place, "it is disabled, and left out")
			continue
		}
		when, why := goffQuery(r.Query, func(text string) { d.note(place, "%s", text) })
		if why != "" {
			d.lose(place, "%s", why)
			continue
		}
		if serve, ok := f.serve(fmt.Sprintf("%s.targeting[%d]", path, i), d, place, r); ok {
			d.when(when, serve)
		}
	}
	if f.DefaultRule == nil {
		d.t.fault(path, `no "defaultRule"`)
		return
	}
	d.other, _ = f.serve(path+".defaultRule", d, "defaultRule", *f.DefaultRule)
}

// about finds in the metadata what people are told of a flag here.
func (f goffFlag) about(d *draft) {
	for _, name := range slices.Sorted(maps.Keys(f.Metadata)) {
		text, isText := f.Metadata[name].(string)
		switch {
		case isText && name == "description":
			d.about.Description = text
		case isText && name == flags.MetadataOwner:
			d.about.Owner = d.aboutText("the owner", text)
		case isText && name == flags.MetadataTags:
			d.tags(strings.Split(text, ","))
		default:
			d.note("metadata", "%q is not kept", name)
		}
	}
}

// serve: a progressive rollout goes before percentages, and those before a variation.
func (f goffFlag) serve(path string, d *draft, place string, r goffRule) (any, bool) {
	switch {
	case kindOf(r.Progressive) != "null":
		d.lose(place, "there are no rollouts that go on by themselves here")
		return nil, false
	case len(r.Percentage) > 0:
		return f.percentages(path, d, place, r.Percentage)
	}
	if _, ok := f.Variations[r.Variation]; !ok {
		d.t.fault(path+".variation", "no variation %q", r.Variation)
		return nil, false
	}
	return r.Variation, true
}

func (f goffFlag) percentages(path string, d *draft, place string, percentages map[string]float64) (any, bool) {
	var shares []share
	for _, name := range slices.Backward(slices.Sorted(maps.Keys(percentages))) {
		p := percentages[name]
		if _, ok := f.Variations[name]; !ok {
			d.t.fault(path+".percentage", "no variation %q", name)
			return nil, false
		}
		if p < 0 || p > 1e6 {
			d.t.fault(path+".percentage."+name, "a percentage is from 0 to 100, this is %g", p)
			return nil, false
		}
		shares = append(shares, share{name, int(math.Round(p * 1000))})
	}
	b := by{attribute: f.BucketingKey}
	if b.attribute == "key" || b.attribute == targetingKey {
		b.attribute = ""
	}
	serve := split(shares, b)
	switch _, plain := serve.(string); {
	case serve == nil:
		d.t.fault(path+".percentage", "all percentages are 0")
		return nil, false
	case plain:
		return serve, true
	}
	d.note(place, goffHash)
	if b.attribute == "" {
		return serve, true
	}
	// Without the key there is an error there, and the code's own default.
	d.note(place, "without attribute %q there is an error and the code's own default there, the default variation here", f.BucketingKey)
	return operation("if", attribute(b.attribute), serve, nil), true
}

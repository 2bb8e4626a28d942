package vendorformat

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// ldItem is a flag as LaunchDarkly's REST API lists it: with all environments.
type ldItem struct {
	Key         string `json:"key"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Variations  []struct {
		Name  string          `json:"name"`
		Value json.RawMessage `json:"value"`
	} `json:"variations"`
	Temporary  *bool    `json:"temporary"`
	Archived   bool     `json:"archived"`
	Tags       []string `json:"tags"`
	Maintainer struct {
		Email string `json:"email"`
	} `json:"_maintainer"`
	Environments map[string]ldState `json:"environments"`
}

func (ld *ldTranslation) item(path string, item ldItem) {
	if item.Archived {
		ld.add(Note{Flag: item.Key, Text: "it is archived, and left out"})
		return
	}
	known, chosen := slices.Sorted(maps.Keys(item.Environments)), ld.Environment
	if chosen == "" && len(known) == 1 {
		chosen = known[0]
	}
	state, ok := item.Environments[chosen]
	if !ok {
		ld.fault(path+".environments", "no environment %q; choose with --environment one of: %s", chosen, strings.Join(known[:min(20, len(known))], ", "))
		return
	}
	d := ld.newDraft(item.Key)
	var values []json.RawMessage
	var names []string
	for _, v := range item.Variations {
		values, names = append(values, v.Value), append(names, v.Name)
	}
	d.variants = named(values, names)
	d.about.Description = firstText(item.Description, item.Name)
	d.about.Owner = d.aboutText("the owner", item.Maintainer.Email)
	d.about.Permanent = item.Temporary != nil && !*item.Temporary
	d.tags(item.Tags)
	ld.state(path, d, state)
}

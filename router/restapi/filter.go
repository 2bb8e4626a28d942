package restapi

import (
	"net/url"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// filterOf returns what the parameters of a list of flags want: search (in key,
// description, owner and tags), tag, owner, kind and state, all of them.
func filterOf(q url.Values) (func(flags.Entry) bool, error) {
	state := q.Get("state")
	if state != "" && state != "enabled" && state != "disabled" {
		return nil, invalid("state %.20q; want enabled or disabled", state)
	}
	search, tag, owner, kind := strings.ToLower(q.Get("search")), q.Get("tag"), q.Get("owner"), q.Get("kind")
	if search+tag+owner+kind+state == "" {
		return func(flags.Entry) bool { return true }, nil
	}
	return func(e flags.Entry) bool {
		d, err := flags.ParseDefinition(e.Bytes)
		if err != nil {
			return false
		}
		about := d.About()
		return (state == "" || d.Enabled() == (state == "enabled")) &&
			(tag == "" || slices.Contains(about.Tags, tag)) &&
			(owner == "" || about.Owner == owner) &&
			(kind == "" || about.Kind == kind) &&
			(search == "" || contains(search, e.Key.Name, about.Description, about.Owner, strings.Join(about.Tags, " ")))
	}, nil
}

// contains reports whether any of the texts has the words, whatever their case.
func contains(search string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), search) })
}

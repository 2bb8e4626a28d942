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
		m := metadataOf(d)
		tags := strings.FieldsFunc(m("tags"), func(c rune) bool { return c == ',' || c == ' ' })
		return (state == "" || d.Enabled() == (state == "enabled")) &&
			(tag == "" || slices.Contains(tags, tag)) &&
			(owner == "" || m("owner") == owner) &&
			(kind == "" || m("kind") == kind) &&
			(search == "" || contains(search, e.Key.Name, d.Description(), m("owner"), m("tags")))
	}, nil
}

// contains reports whether any of the texts has the words, whatever their case.
func contains(search string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), search) })
}

// metadataOf returns a reader of what a flag's metadata says in words.
func metadataOf(d flags.Definition) func(name string) string {
	m, err := flags.ParseValue(d.Field("metadata"))
	return func(name string) string {
		if err != nil {
			return ""
		}
		v, ok := m.Get(name)
		if !ok || v.Kind() != flags.ValueString {
			return ""
		}
		return v.Str()
	}
}

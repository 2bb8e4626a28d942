package flags

import (
	"slices"
	"strings"
	"time"
	"unicode"
)

// Keys of a flag's metadata that tell people what the flag is, and how long it is
// meant to live. Evaluation does not look at them; they are checked when they are
// written.
const (
	MetadataOwner     = "owner"     // string: whom to ask
	MetadataTags      = "tags"      // string: words, separated by commas
	MetadataKind      = "kind"      // string: release, experiment, ops or permission
	MetadataPermanent = "permanent" // bool: the flag is not meant to go away
	MetadataExpires   = "expires"   // string: YYYY-MM-DD, the last day that the flag is needed
)

// AboutKinds are the kinds of flags there are.
func AboutKinds() []string { return []string{"release", "experiment", "ops", "permission"} }

// MaxAboutBytes bounds each text of an About except the description.
const MaxAboutBytes = 512

// About is what people are told of a flag besides what it does.
type About struct {
	Description string
	Owner       string
	Tags        []string // without commas
	Kind        string   // one of AboutKinds
	Permanent   bool
	Expires     string // YYYY-MM-DD
}

// Expired reports whether the last day of the flag, in UTC, was before now.
func (a About) Expired(now time.Time) bool {
	day, err := time.Parse(time.DateOnly, a.Expires)
	return err == nil && !now.UTC().Before(day.AddDate(0, 0, 1))
}

// About returns what people are told of the flag. What is not of the kind that it
// should be is left out.
func (d Definition) About() About {
	a := About{Description: d.Description()}
	metadata := d.node().member("metadata")
	if metadata == nil || metadata.kind != objectNode {
		return a
	}
	text := func(name string) string {
		if n := metadata.member(name); n != nil && n.kind == stringNode {
			return n.text
		}
		return ""
	}
	a.Owner, a.Kind, a.Expires = text(MetadataOwner), text(MetadataKind), text(MetadataExpires)
	for tag := range strings.SplitSeq(text(MetadataTags), ",") {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(a.Tags, tag) {
			a.Tags = append(a.Tags, tag)
		}
	}
	n := metadata.member(MetadataPermanent)
	a.Permanent = n != nil && string(n.canonical()) == "true"
	return a
}

// WithAbout returns the definition with what people are told of it; zero fields are
// left out. Other metadata stays. That it makes sense is checked when it is written.
func (d Definition) WithAbout(a About) Definition {
	d = d.WithDescription(a.Description)
	var kids []kid
	if metadata := d.node().member("metadata"); metadata != nil && metadata.kind == objectNode {
		kids = metadata.kids
	}
	for name, text := range map[string]string{
		MetadataOwner: a.Owner, MetadataTags: strings.Join(a.Tags, ","), MetadataKind: a.Kind, MetadataExpires: a.Expires,
	} {
		if kids = withoutKid(kids, name); text != "" {
			kids = withKid(kids, name, node{kind: stringNode, text: text})
		}
	}
	if kids = withoutKid(kids, MetadataPermanent); a.Permanent {
		yes, _ := parseTree([]byte("true"))
		kids = withKid(kids, MetadataPermanent, yes)
	}
	if len(kids) == 0 {
		return d.Without("metadata")
	}
	return d.with("metadata", node{kind: objectNode, kids: kids})
}

// about checks a member of a flag's metadata that is for people.
func (ch *checker) about(it item, n *node, path, name string) {
	switch name {
	case MetadataPermanent:
		if n.kind != boolNode {
			ch.fail(it, n, path, "permanent is true or false, this is %s", n.kind)
		}
		return
	case MetadataOwner, MetadataTags, MetadataKind, MetadataExpires:
	default:
		return
	}
	if n.kind != stringNode {
		ch.fail(it, n, path, "%s is a string, this is %s", name, n.kind)
		return
	}
	if len(n.text) > MaxAboutBytes || strings.ContainsFunc(n.text, Unprintable) {
		ch.fail(it, n, path, "%s takes up to %d bytes, without control characters and marks that turn the direction of text", name, MaxAboutBytes)
		return
	}
	switch _, err := time.Parse(time.DateOnly, n.text); {
	case name == MetadataKind && !slices.Contains(AboutKinds(), n.text):
		ch.fail(it, n, path, "%s is no kind of flag; %s", quoted(n.text), knownNames("known:", n.text, AboutKinds()))
	case name == MetadataExpires && err != nil:
		ch.fail(it, n, path, "%s is no date; want YYYY-MM-DD, the last day that the flag is needed", quoted(n.text))
	}
}

// Unprintable reports whether a character drives a terminal or turns the direction
// of text: it has no business in a name.
func Unprintable(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

package flags

import (
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/spelling"
)

// flagFields are the fields of flagd's schema; any others are kept as they are.
var flagFields = []string{"state", "variants", "defaultVariant", "targeting", "metadata"}

func (ch *checker) flag(it item) {
	n := it.node
	switch {
	case n == nil:
		ch.deletedFlag(it)
		return
	case it.broken:
		return
	case n.kind != objectNode:
		ch.fail(it, n, it.path, "a flag is an object, this is %s", n.kind)
		return
	}
	for i := range n.kids {
		ch.field(it, &n.kids[i])
	}
	ch.variants(it)
	ch.defaultVariant(it)
	ch.targeting(it)
	ch.lostVariants(it)
}

func (ch *checker) field(it item, k *kid) {
	path := it.path + stepName(k.name)
	switch k.name {
	case "state":
		if k.kind != stringNode || k.text != "ENABLED" && k.text != "DISABLED" {
			ch.fail(it, &k.node, path, "unknown state %s; it is %s or %s", shorten(string(k.canonical())), `"ENABLED"`, `"DISABLED"`)
		}
	case "metadata":
		if k.kind != objectNode {
			ch.fail(it, &k.node, path, "metadata is an object, this is %s", k.kind)
			return
		}
		for i := range k.kids {
			ch.scalar(it, &k.kids[i].node, path+stepName(k.kids[i].name))
			ch.about(it, &k.kids[i].node, path+stepName(k.kids[i].name), k.kids[i].name)
			if k.kids[i].name == MetadataMaxAge {
				ch.maxAge(it, &k.kids[i].node, path+stepName(MetadataMaxAge))
			}
		}
	case overridesField:
		ch.fail(it, &k.node, path, "overrides are written as entries of their own, not inside the flag")
	case "variants", "defaultVariant", "targeting":
	default:
		if meant, ok := misspelt(k.name); ok {
			ch.fail(it, &k.node, path, "unknown field; did you mean %s?", quoted(meant))
		}
	}
}

// misspelt finds the field that a name differs from by case or one letter only.
// Other names are extensions, which are welcome.
func misspelt(name string) (meant string, ok bool) {
	for _, field := range flagFields {
		difference := len(name) - len(field)
		if difference*difference <= 1 && (strings.EqualFold(name, field) || spelling.Distance(name, field) == 1) {
			return field, true
		}
	}
	return "", false
}

func (ch *checker) scalar(it item, n *node, path string) {
	if n.kind != stringNode && n.kind != numberNode && n.kind != boolNode {
		ch.fail(it, n, path, "metadata holds strings, numbers and booleans, this is %s", n.kind)
	}
}

func (ch *checker) variants(it item) {
	n, path := it.node.member("variants"), it.path+".variants"
	switch {
	case n == nil:
		ch.fail(it, it.node, it.path, `no "variants"; a flag has at least one, e.g. {"on": true, "off": false}`)
		return
	case n.kind != objectNode:
		ch.fail(it, n, path, "variants are an object of name to value, this is %s", n.kind)
		return
	case len(n.kids) == 0:
		ch.fail(it, n, path, "no variants; a flag has at least one")
		return
	}
	first := &n.kids[0]
	for i := range n.kids {
		k := &n.kids[i]
		where := path + stepName(k.name)
		switch {
		case k.name == "":
			ch.fail(it, &k.node, where, "the name of a variant must not be empty")
		case typeOf(k.kind) == TypeUnknown:
			ch.fail(it, &k.node, where, "a value is a boolean, string, number or object, this is %s", k.kind)
		case k.kind != first.kind && typeOf(first.kind) != TypeUnknown:
			ch.fail(it, &k.node, where, "this is %s but %s is %s; variants are all of one type", k.kind, quoted(shorten(first.name)), first.kind)
		}
	}
}

// variantSet is the variants of a flag, to look names up in.
type variantSet struct {
	names  map[string]bool
	sorted []string
}

func (v *variantSet) has(name string) bool { return v.names[name] }

// variantsOf returns the variants of a flag, or nil where it has none to speak of.
func (ch *checker) variantsOf(flag *node) *variantSet {
	if flag == nil {
		return nil
	}
	if v, ok := ch.sets[flag]; ok {
		return v
	}
	v := newVariantSet(flag)
	ch.sets[flag] = v
	return v
}

func newVariantSet(flag *node) *variantSet {
	n := flag.member("variants")
	if n == nil || n.kind != objectNode || len(n.kids) == 0 {
		return nil
	}
	v := &variantSet{names: make(map[string]bool, len(n.kids)), sorted: sortedNames(n)}
	for _, name := range v.sorted {
		v.names[name] = true
	}
	return v
}

func (ch *checker) defaultVariant(it item) {
	n, path := it.node.member("defaultVariant"), it.path+".defaultVariant"
	variants := ch.variantsOf(it.node)
	switch {
	case n == nil || n.kind == nullNode:
	case n.kind != stringNode:
		ch.fail(it, n, path, "the default is the name of a variant or null, this is %s", n.kind)
	case variants != nil:
		ch.variantName(it, n, path, n.text, variants)
	}
}

func (ch *checker) variantName(it item, n *node, path, name string, variants *variantSet) {
	if !variants.has(name) {
		ch.fail(it, n, path, "%s is no variant; %s", quoted(shorten(name)), knownNames("known:", name, variants.sorted))
	}
}

// lostVariants notes that overrides may name a variant that is there no more.
func (ch *checker) lostVariants(it item) {
	if ch.base.overrides[it.key.Name] == 0 {
		return
	}
	old, ok := ch.base.Get(it.key)
	if !ok {
		return
	}
	before, fault := parseTree(old.Bytes)
	now := ch.variantsOf(it.node)
	if fault != nil || now == nil {
		return
	}
	if was := newVariantSet(&before); was != nil {
		ch.narrowed[it.key.Name] = slices.ContainsFunc(was.sorted, func(name string) bool { return !now.has(name) })
	}
}

func (ch *checker) deletedFlag(it item) {
	if left := ch.base.overrides[it.key.Name] + ch.overrides[it.key.Name]; left > 0 {
		ch.fail(it, nil, it.path, "still has overrides (%d); delete them in the same commit", left)
	}
}

func (ch *checker) override(it item) {
	n := it.node
	if n == nil || it.broken {
		return
	}
	if n.kind != objectNode || len(n.kids) != 1 || n.kids[0].name != "variant" || n.kids[0].kind != stringNode {
		ch.fail(it, n, it.path, "an override names one variant, e.g. \"on\"")
		return
	}
	flag := ch.at(FlagKey(it.key.Name))
	if flag == nil {
		ch.fail(it, n, it.path, "there is no flag %s; create it in the same commit or before", quoted(shorten(it.key.Name)))
		return
	}
	if variants := ch.variantsOf(flag); variants != nil {
		ch.variantName(it, &n.kids[0].node, it.path, n.kids[0].text, variants)
	}
}

package flags

import (
	"errors"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
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
		if difference*difference <= 1 && (strings.EqualFold(name, field) || editDistance(name, field) == 1) {
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

// variantsOf returns the variants of a flag, or nil where it has none to speak of.
func variantsOf(flag *node) *node {
	if flag == nil {
		return nil
	}
	if n := flag.member("variants"); n != nil && n.kind == objectNode && len(n.kids) > 0 {
		return n
	}
	return nil
}

func (ch *checker) defaultVariant(it item) {
	n, path := it.node.member("defaultVariant"), it.path+".defaultVariant"
	variants := variantsOf(it.node)
	switch {
	case n == nil || n.kind == nullNode:
	case n.kind != stringNode:
		ch.fail(it, n, path, "the default is the name of a variant or null, this is %s", n.kind)
	case variants != nil:
		ch.variantName(it, n, path, n.text, variants)
	}
}

func (ch *checker) variantName(it item, n *node, path, name string, variants *node) {
	if variants.member(name) == nil {
		ch.fail(it, n, path, "%s is no variant; %s", quoted(shorten(name)), knownNames("known:", name, sortedNames(variants)))
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
	now := variantsOf(it.node)
	if fault != nil || now == nil {
		return
	}
	if variants := variantsOf(&before); variants != nil {
		ch.narrowed[it.key.Name] = slices.ContainsFunc(variants.kids, func(k kid) bool { return now.member(k.name) == nil })
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
	if variants := variantsOf(flag); variants != nil {
		ch.variantName(it, &n.kids[0].node, it.path, n.kids[0].text, variants)
	}
}

func (ch *checker) evaluator(it item) {
	if _, was := ch.base.Get(it.key); was {
		ch.evaluators[it.key.Name] = true
	}
	if it.node == nil || it.broken {
		return
	}
	if it.node.kind == objectNode && len(it.node.kids) == 0 {
		ch.fail(it, it.node, it.path, "an evaluator without a rule; delete it or write one")
	}
	ch.rule(it, it.node, it.path, func(string) string { return "an evaluator cannot refer to another; write its rule out" })
}

// targeting checks the rule of a flag, and what it can answer.
func (ch *checker) targeting(it item) {
	n, path := it.node.member("targeting"), it.path+".targeting"
	if n == nil || n.kind == nullNode || n.kind == objectNode && len(n.kids) == 0 {
		return
	}
	refs := map[string]bool{}
	sound := ch.rule(it, n, path, func(name string) string {
		refs[name] = true
		return ch.missingEvaluator(name)
	})
	if variants := variantsOf(it.node); variants != nil {
		c := resultChecker{variants: variants, evaluators: func(name string) *node { return ch.at(EntryKey{Kind: KindEvaluator, Name: name}) }}
		c.report = func(at *node, path, format string, args ...any) { ch.fail(it, at, path, format, args...) }
		c.result(n, path)
	}
	if sound {
		ch.compile(it, n, path, refs)
	}
}

func (ch *checker) missingEvaluator(name string) string {
	key := EntryKey{Kind: KindEvaluator, Name: name}
	if ch.at(key) != nil {
		return ""
	}
	if _, was := ch.base.Get(key); was {
		return "evaluator " + quoted(shorten(name)) + " is deleted but still used here; change the rule first"
	}
	return "unknown evaluator " + quoted(shorten(name)) + "; define it under $evaluators"
}

// rule checks a rule and reports whether it has no fault.
func (ch *checker) rule(it item, n *node, path string, unknown func(string) string) bool {
	before := len(ch.faults)
	c := ruleChecker{unknown: unknown}
	c.report = func(at *node, path, format string, args ...any) { ch.fail(it, at, path, format, args...) }
	c.rule(n, path)
	return len(ch.faults) == before
}

// compile has the last word: a rule that is not refused above and does not
// compile would be a flag without targeting wherever it is read.
func (ch *checker) compile(it item, n *node, path string, refs map[string]bool) {
	shared := map[string]jsonlogic.Value{}
	for name := range refs {
		if rule, err := jsonlogic.ParseJSON(ch.at(EntryKey{Kind: KindEvaluator, Name: name}).canonical()); err == nil {
			shared[name] = rule
		}
	}
	rule, err := jsonlogic.ParseJSON(n.canonical())
	if err == nil {
		_, err = jsonlogic.Compile(rule, jsonlogic.Options{FlagKey: it.key.Name, Evaluators: jsonlogic.NewEvaluators(shared)})
	}
	var faults jsonlogic.Faults
	switch {
	case errors.As(err, &faults):
		for _, f := range faults {
			ch.fail(it, n, path+f.Path, "%s", f.Reason)
		}
	case err != nil:
		ch.fail(it, n, path, "%s", err)
	}
}

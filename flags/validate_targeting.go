package flags

import (
	"errors"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

func (ch *checker) evaluator(it item) {
	if _, was := ch.base.Get(it.key); was {
		ch.evaluators[quoted(it.key.Name)] = true
	}
	if it.node == nil || it.broken {
		return
	}
	if it.node.kind == objectNode && len(it.node.kids) == 0 {
		ch.fail(it, it.node, it.path, "an evaluator without a rule; delete it or write one")
	}
	sound := ch.rule(it, it.node, it.path, func(string) string { return "an evaluator cannot refer to another; write its rule out" })
	ch.unsound[it.key.Name] = !sound
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
	if variants := ch.variantsOf(it.node); variants != nil {
		c := resultChecker{variants: variants, seen: map[string]bool{}, evaluators: func(name string) *node { return ch.at(EntryKey{Kind: KindEvaluator, Name: name}) }}
		c.report = func(at *node, path, format string, args ...any) { ch.fail(it, at, path, format, args...) }
		c.result(n, path)
	}
	for name := range refs {
		sound = sound && !ch.unsound[name] // which has been reported, where it stands
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
	sound := true
	c := ruleChecker{unknown: unknown}
	c.report = func(at *node, path, format string, args ...any) {
		sound = false
		ch.fail(it, at, path, format, args...)
	}
	c.rule(n, path)
	return sound
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

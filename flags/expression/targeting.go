package expression

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/holdfast-flags/holdfast/flags"
)

// Targeting is all that decides about a flag beside its state, its default and its overrides: rules in the order in
// which they are tried, and what everybody else gets. The zero Targeting is none.
type Targeting struct {
	Rules []Rule
	Else  Serve // for whom no rule matches; the zero Serve is the default variant
}

// Rule is what those get whom a condition is true for.
type Rule struct {
	When  string // an expression
	Serve Serve
}

// Serve is what somebody gets: one variant, or one of several by share.
type Serve struct {
	Variant string
	Split   []flags.Share // two or more, with weights from 0 and a sum of up to 2^31-1, instead of Variant
	// By is the attribute whose hash, with the flag's key, decides about the share; who lacks it gets the default
	// variant. Default: the targeting key.
	By string
}

// IsZero reports whether s is the default variant.
func (s Serve) IsZero() bool { return s.Variant == "" && len(s.Split) == 0 && s.By == "" }

// Compile returns the targeting as canonical JsonLogic, or nil where there is none. An error about a condition wraps an
// *Error and says which rule it is in. That the variants are there is checked when the flag is written.
func (t Targeting) Compile() ([]byte, error) {
	if len(t.Rules) == 0 && t.Else.IsZero() {
		return nil, nil
	}
	if len(t.Rules) == 0 && t.Else.Variant != "" {
		return nil, fmt.Errorf("expression: a variant for everybody is no rule; make %q the default variant", t.Else.Variant)
	}
	term, err := t.term()
	if err != nil {
		return nil, err
	}
	return encode(term)
}

func (t Targeting) term() (any, error) {
	var chain []any
	before := map[bucket]bool{} // by what percentages were decided so far
	for i, r := range t.Rules {
		p := newParser(r.When)
		condition := p.condition()
		p.end()
		if p.err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, p.err)
		}
		percentages(condition, before)
		serve, err := r.Serve.term(before)
		if err == nil && serve == nil {
			err = errors.New("it serves nothing; name a variant")
		}
		if err != nil {
			return nil, fmt.Errorf("rule %d: %w", i+1, err)
		}
		chain = append(chain, condition, serve)
	}
	otherwise, err := t.Else.term(before)
	switch {
	case err != nil:
		return nil, fmt.Errorf("else: %w", err)
	case len(chain) == 0:
		return otherwise, nil
	case otherwise != nil:
		chain = append(chain, otherwise)
	}
	return operation("if", chain...), nil
}

// term returns what stands for s in a rule; nil for the default variant.
func (s Serve) term(before map[bucket]bool) (any, error) {
	switch {
	case s.IsZero():
		return nil, nil
	case s.Variant != "" && (len(s.Split) > 0 || s.By != ""):
		return nil, errors.New("it serves both a variant and a split; choose one")
	case s.Variant != "":
		return s.Variant, nil
	case before[bucket{by: s.By}.hash()]:
		return nil, errors.New(`a percent(...) before this split goes by the same hash, so that the shares would be wrong; give it a seed: percent(25, seed: "a")`)
	}
	entries, err := s.entries()
	if err != nil {
		return nil, err
	}
	return bucket{by: s.By}.fractional(entries, func(split any) any { return split }, nil), nil
}

func (s Serve) entries() ([]any, error) {
	if len(s.Split) < 2 { // flagd ignores a lone share
		return nil, errors.New("a split has two shares or more: give every variant its own, such as on = 25, off = 75")
	}
	var entries []any
	var seen []string
	total := 0
	for _, share := range s.Split {
		switch {
		case share.Variant == "":
			return nil, errors.New("a share without a variant")
		case slices.Contains(seen, share.Variant):
			return nil, fmt.Errorf("%q has two shares", share.Variant)
		case share.Weight < 0 || share.Weight > math.MaxInt32-total:
			return nil, fmt.Errorf("the weight of %q is negative, or the sum is more than %d", share.Variant, math.MaxInt32)
		}
		seen = append(seen, share.Variant)
		total += share.Weight
		entries = append(entries, []any{share.Variant, number(share.Weight)})
	}
	if total == 0 {
		return nil, errors.New("all weights are 0")
	}
	return entries, nil
}

// percentages collects the buckets that a condition asks about.
func percentages(term any, found map[bucket]bool) {
	if _, b, ok := percentOf(term); ok {
		found[b.hash()] = true
		return
	}
	_, arg := operator(term)
	list, isList := arg.([]any)
	if !isList {
		list = []any{arg}
	}
	for _, part := range list {
		if _, isOperation := part.(map[string]any); isOperation {
			percentages(part, found)
		}
	}
}

// ShowTargeting returns the targeting that compiles to rule; nil is none. ok is false where there is none that compiles to
// the canonical form of exactly this rule; then show it as JSON.
func ShowTargeting(rule []byte) (t Targeting, ok bool) {
	if rule == nil {
		return t, true
	}
	term, canonical, ok := decode(rule)
	if !ok {
		return t, false
	}
	if t.Else, ok = serveOf(term); !ok || t.Else.Variant != "" {
		t.Else = Serve{}
		op, arg := operator(term)
		chain, _ := arg.([]any)
		if op != "if" || !t.chain(chain) {
			return Targeting{}, false
		}
	}
	back, err := t.Compile()
	if err != nil || !bytes.Equal(back, canonical) {
		return Targeting{}, false
	}
	return t, true
}

// chain reads the arguments of if: conditions and what they serve in turn.
func (t *Targeting) chain(args []any) bool {
	for len(args) > 1 {
		when, ok1 := condition(args[0], lowest)
		serve, ok2 := serveOf(args[1])
		if !ok1 || !ok2 {
			return false
		}
		t.Rules = append(t.Rules, Rule{when, serve})
		args = args[2:]
	}
	if len(args) == 0 {
		return len(t.Rules) > 0
	}
	var ok bool
	t.Else, ok = serveOf(args[0])
	return ok
}

func serveOf(term any) (Serve, bool) {
	if variant, ok := term.(string); ok {
		return Serve{Variant: variant}, true
	}
	b, entries, _ := bucketOf(term)
	s := Serve{By: b.by}
	for _, e := range entries {
		pair, _ := e.([]any)
		if len(pair) != 2 {
			return Serve{}, false
		}
		variant, ok := pair[0].(string)
		literal, _ := pair[1].(json.Number)
		weight, err := strconv.Atoi(literal.String())
		if !ok || err != nil {
			return Serve{}, false
		}
		s.Split = append(s.Split, flags.Share{Variant: variant, Weight: weight})
	}
	return s, len(s.Split) > 0
}

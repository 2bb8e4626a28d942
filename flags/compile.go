package flags

import (
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// flagMode is what evaluating a flag takes.
type flagMode uint8

const (
	modeMissing  flagMode = iota // no definition: the node only keeps overrides of a flag that is not there
	modeBroken                   // the definition cannot be evaluated
	modeDisabled                 // the caller's default
	modeStatic                   // no rule: the default variant
	modeTargeted                 // the rule decides
)

// outcome is a variant in evaluated form.
type outcome struct {
	name  string
	value jsonlogic.Value
}

// compiledFlag is a definition made ready for evaluation. It is immutable, and
// its text aliases the entry's bytes.
type compiledFlag struct {
	mode     flagMode
	program  *jsonlogic.Program // modeTargeted
	standard *outcome           // the default variant, nil if there is none
	outcomes []outcome          // sorted by name
	refs     []string           // evaluators that the rule names, there or not
	metadata jsonlogic.Value    // object, or null
	maxAge   time.Duration      // from the metadata; 0: none
	fault    string             // modeBroken: why
}

// compileFlag compiles a definition. It never fails: what cannot be evaluated
// becomes a flag that answers PARSE_ERROR, so that one bad flag takes nothing
// else down. The caller has the strict check of writers behind it; here only what
// evaluation stands on is looked at.
func compileFlag(key string, definition []byte, evaluators *jsonlogic.Evaluators) (c compiledFlag) {
	defer func() {
		if p := recover(); p != nil {
			c = compiledFlag{mode: modeBroken, refs: c.refs, fault: fmt.Sprintf("panic while compiling: %v", p)}
		}
	}()
	if definition == nil {
		return compiledFlag{}
	}
	doc, err := jsonlogic.ParseJSON(definition)
	if err != nil {
		return compiledFlag{mode: modeBroken, fault: err.Error()}
	}
	if doc.Kind() != jsonlogic.KindObject {
		return compiledFlag{mode: modeBroken, fault: "a flag is a JSON object, this is a " + doc.Kind().String()}
	}
	c.metadata, _ = doc.Get("metadata")
	c.maxAge = maxAgeOf(c.metadata)
	// Off is off, however broken the rest may be.
	if state, _ := doc.Get("state"); state.Str() == "DISABLED" {
		c.mode = modeDisabled
		return c
	}
	rule, targeted := doc.Get("targeting")
	c.mode = modeStatic
	if targeted && !(rule.Kind() == jsonlogic.KindObject && rule.Len() == 0) {
		c.mode, c.refs = modeTargeted, references(rule, nil)
	}
	if err := c.compile(key, doc, rule, evaluators); err != nil {
		c.mode, c.fault = modeBroken, err.Error()
	}
	return c
}

func (c *compiledFlag) compile(key string, doc, rule jsonlogic.Value, evaluators *jsonlogic.Evaluators) error {
	variants, _ := doc.Get("variants")
	if variants.Len() == 0 || variants.Kind() != jsonlogic.KindObject {
		return errors.New("variants: want an object with at least one variant")
	}
	c.outcomes = make([]outcome, 0, variants.Len())
	for name, v := range variants.Members() {
		c.outcomes = append(c.outcomes, outcome{name, v})
	}
	switch standard, _ := doc.Get("defaultVariant"); standard.Kind() {
	case jsonlogic.KindNull:
	case jsonlogic.KindString:
		if c.standard = c.outcome(standard.Str()); c.standard == nil {
			return fmt.Errorf("defaultVariant: no variant %q", standard.Str())
		}
	default:
		return fmt.Errorf("defaultVariant: want the name of a variant or null, this is a %s", standard.Kind())
	}
	if c.mode != modeTargeted {
		return nil
	}
	program, err := jsonlogic.Compile(rule, jsonlogic.Options{FlagKey: key, Evaluators: evaluators, Mark: c.mark})
	if err != nil {
		return fmt.Errorf("targeting: %w", err)
	}
	c.program = program
	return nil
}

// outcome returns the variant of the given name, or nil.
func (c *compiledFlag) outcome(name string) *outcome {
	for i := range c.outcomes {
		if c.outcomes[i].name == name {
			return &c.outcomes[i]
		}
	}
	return nil
}

// chosen returns the variant that a rule's result names, or nil: true picks
// "true", the number 1 picks "1", and arrays and objects pick nothing.
func (c *compiledFlag) chosen(v jsonlogic.Value) *outcome {
	switch v.Kind() {
	case jsonlogic.KindString:
		return c.outcome(v.Str())
	case jsonlogic.KindBool, jsonlogic.KindNumber:
		var buf [32]byte
		text := v.AppendJSON(buf[:0])
		for i := range c.outcomes {
			if c.outcomes[i].name == string(text) {
				return &c.outcomes[i]
			}
		}
	}
	return nil
}

// mark numbers the literals of a rule by the variant they name, from 1, so that
// no evaluation has to look the name up.
func (c *compiledFlag) mark(v jsonlogic.Value) uint32 {
	o := c.chosen(v)
	for i := range c.outcomes {
		if o == &c.outcomes[i] {
			return uint32(i) + 1
		}
	}
	return 0
}

// references appends the names of the evaluators that a rule refers to.
func references(rule jsonlogic.Value, names []string) []string {
	for _, e := range rule.All() {
		names = references(e, names)
	}
	for key, m := range rule.Members() {
		if key == "$ref" && m.Kind() == jsonlogic.KindString {
			names = append(names, m.Str())
			continue
		}
		names = references(m, names)
	}
	return names
}

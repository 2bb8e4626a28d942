package expression

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// String returns the targeting as text, a rule a line, that ParseTargeting reads:
//
//	when country == "NZ" serve on
//	when plan == "pro" serve on = 25, off = 75 by tenant
//	else off
func (t Targeting) String() string {
	var b strings.Builder
	for _, r := range t.Rules {
		fmt.Fprintf(&b, "when %s serve %s\n", r.When, r.Serve)
	}
	if !t.Else.IsZero() {
		fmt.Fprintf(&b, "else %s\n", t.Else)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// String returns the variant, or the split as "on = 25, off = 75 by tenant"; "" for the zero Serve.
func (s Serve) String() string {
	if len(s.Split) == 0 {
		return variantText(s.Variant)
	}
	shares := make([]string, len(s.Split))
	for i, share := range s.Split {
		shares[i] = fmt.Sprintf("%s = %d", variantText(share.Variant), share.Weight)
	}
	text := strings.Join(shares, ", ")
	if s.By != "" {
		text += " by " + attribute(s.By)
	}
	return text
}

// variantText writes a name as it is where it is one word.
func variantText(name string) string {
	if name == "" || pathLength(name) == len(name) && !slices.Contains(words, name) {
		return name
	}
	return quote(name)
}

// ParseTargeting reads what String writes, with conditions in any form. Names of variants other than words of letters,
// digits, _ and dots are quoted. Empty text is no targeting. The error is an *Error, or that of Compile.
func ParseTargeting(text string) (Targeting, error) {
	p := newParser(text)
	var t Targeting
	for p.err == nil {
		if _, ok := p.sign("when"); !ok {
			break
		}
		term := p.condition()
		p.expect("serve", "after the condition")
		when, ok := condition(term, lowest)
		if !ok {
			break // there was a mistake
		}
		t.Rules = append(t.Rules, Rule{when, p.serve()})
	}
	if _, ok := p.sign("else"); ok {
		t.Else = p.serve()
	}
	if end := p.peek(); end.kind != tokenEnd {
		p.fail(end.at, fmt.Sprintf("unexpected %s, want a rule", end), "a rule is: when CONDITION serve VARIANT; the last one may be: else VARIANT")
	}
	if p.err != nil {
		return Targeting{}, p.err
	}
	if _, err := t.Compile(); err != nil {
		return Targeting{}, err
	}
	return t, nil
}

// serve reads a variant, or shares.
func (p *parser) serve() (s Serve) {
	for p.err == nil {
		variant := p.variant()
		if _, ok := p.sign("="); !ok {
			if len(s.Split) > 0 {
				t := p.peek()
				p.fail(t.at, fmt.Sprintf("unexpected %s, want \"=\" and a weight", t), "every variant of a split has its share: on = 25, off = 75")
			}
			s.Variant = variant
			return s
		}
		t := p.next()
		weight, err := strconv.Atoi(t.text)
		if t.kind != tokenNumber || err != nil {
			p.fail(t.at, fmt.Sprintf("unexpected %s, want a whole number", t), "")
		}
		s.Split = append(s.Split, flags.Share{Variant: variant, Weight: weight})
		if _, ok := p.sign(","); !ok {
			break
		}
	}
	if _, ok := p.sign("by"); ok {
		t := p.peek()
		if s.By, ok = p.attribute(); !ok {
			p.fail(t.at, fmt.Sprintf("unexpected %s, want an attribute", t), "")
		}
	}
	return s
}

func (p *parser) variant() string {
	t := p.next()
	switch {
	case t.kind == tokenString && t.value != "":
		return t.value
	case t.kind == tokenName && !slices.Contains(words, t.text):
		return t.text
	}
	p.fail(t.at, fmt.Sprintf("unexpected %s, want a variant", t), "quote names other than words: \"25-percent\"")
	return ""
}

package expression

import (
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// functions are all there are, for messages.
var functions = []string{"startsWith", "endsWith", "contains", "has", "missing", "semver", "percent", "segment", "attr"}

// call reads a condition that is a function. semver and attr, which are none alone, have been looked for before.
func (p *parser) call() any {
	t := p.next()
	p.next() // the parenthesis
	var term any
	switch t.text {
	case "startsWith":
		term = operation("starts_with", p.affix()...)
	case "endsWith":
		term = operation("ends_with", p.affix()...)
	case "contains":
		haystack := p.haystack()
		p.expect(",", "and what to look for")
		term = operation("in", p.value(), haystack)
	case "has":
		term = unary("!", unary("missing", p.names()))
	case "missing":
		term = unary("missing", p.names())
	case "percent":
		term = p.percent()
	case "segment":
		return p.segment(t)
	default:
		p.unknown(t)
		return nil
	}
	p.expect(")", fmt.Sprintf("to close %s(", t.text))
	return term
}

func (p *parser) unknown(t token) {
	hint := "there are " + strings.Join(functions, ", ")
	if name := meant(t.text, functions); name != "" {
		hint = "did you mean " + name + "?"
	}
	p.fail(t.at, "unknown function "+excerpt(t.text), hint)
}

// affix reads two texts.
func (p *parser) affix() []any {
	var texts []any
	for i := range 2 {
		t := p.peek()
		term := p.value()
		if _, isString := term.(string); !isString {
			if _, isAttribute := variableName(term); !isAttribute {
				p.fail(t.at, fmt.Sprintf("unexpected %s, want an attribute or text", t), "quote text")
			}
		}
		if texts = append(texts, term); i == 0 {
			p.expect(",", "and the text that it begins or ends with")
		}
	}
	return texts
}

// names reads attributes as the list of their names.
func (p *parser) names() any {
	var names []any
	for p.err == nil {
		t := p.peek()
		name, ok := p.attribute()
		if !ok {
			p.fail(t.at, fmt.Sprintf("unexpected %s, want the name of an attribute", t), `without quotes, or as attr("odd name")`)
		}
		names = append(names, name)
		if _, ok := p.sign(","); !ok {
			break
		}
	}
	return names
}

// segment reads the rest of segment("name"), of which t is the first word.
func (p *parser) segment(t token) any {
	if p.shared {
		p.fail(t.at, "a segment inside a segment", "segments cannot refer to each other; write its condition out")
	}
	name := p.argument("the name of the segment")
	if name == "" {
		p.fail(t.at, "a segment without a name", "")
	}
	p.expect(")", "after the name")
	return unary("$ref", name)
}

// percent reads percent(25, by: email, seed: "a") after its parenthesis.
func (p *parser) percent() any {
	t := p.next()
	part, ok := percentPart(t.text)
	if t.kind != tokenNumber || !ok {
		p.fail(t.at, fmt.Sprintf("unexpected %s, want a number from 0 to 100 with at most three decimals", t), "")
	}
	var b bucket
	for p.err == nil {
		if _, more := p.sign(","); !more {
			break
		}
		t := p.next()
		p.expect(":", "after by or seed")
		switch {
		case t.text == "by" && b.by == "":
			at := p.peek()
			if b.by, ok = p.attribute(); !ok {
				p.fail(at.at, fmt.Sprintf("unexpected %s, want the attribute to bucket by", at), "")
			}
		case t.text == "seed" && b.seed == "":
			b.seed = p.argument("a seed, such as \"checkout-2\",")
			if b.seed == "" {
				p.fail(t.at, "an empty seed", "leave it out")
			}
		default:
			p.fail(t.at, "unexpected "+t.String(), "percent takes a number, by: ATTRIBUTE and seed: \"TEXT\"")
		}
	}
	return percentTerm(part, b)
}

// versionSigns are the comparisons of versions, by their names in sem_ver.
var versionSigns = map[string]string{"=": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=", "~": "~", "^": "^"}

// version reads semver(version) >= "1.2.0" after its first parenthesis.
func (p *parser) version() any {
	t := p.peek()
	name, ok := p.attribute()
	if !ok {
		p.fail(t.at, fmt.Sprintf("unexpected %s, want the attribute that holds a version", t), "")
	}
	p.expect(")", "after the attribute")
	t = p.next()
	for op, sign := range versionSigns {
		if t.kind == tokenSign && t.text == sign {
			return operation("sem_ver", variable(name), op, p.versionText())
		}
	}
	p.fail(t.at, fmt.Sprintf("unexpected %s, want a comparison of versions", t), `one of == != < <= > >= ~ ^, as in semver(version) >= "1.2.0"`)
	return nil
}

func (p *parser) versionText() any {
	t := p.peek()
	term := p.value()
	if _, isAttribute := variableName(term); isAttribute {
		return term
	}
	text, ok := term.(string)
	if !ok {
		p.fail(t.at, fmt.Sprintf("unexpected %s, want a version", t), `quote it: "1.2.0"`)
	} else if !isVersion(text) {
		p.fail(t.at, excerpt(text)+" is no semantic version", `write it as in "1.2.0" or "2.0.0-rc.1"`)
	}
	return term
}

// isVersion asks the evaluation itself: what it cannot compare makes a rule that never matches.
func isVersion(text string) bool {
	version := jsonlogic.String(text)
	rule, err := jsonlogic.Object(jsonlogic.Member{Key: "sem_ver", Value: jsonlogic.Array(version, jsonlogic.String("="), version)})
	if err != nil {
		return false
	}
	program, err := jsonlogic.Compile(rule, jsonlogic.Options{})
	if err != nil {
		return false
	}
	same, _ := program.Constant()
	return same.Bool()
}

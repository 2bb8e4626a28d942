package expression

import (
	"encoding/json"
	"fmt"
	"slices"
)

// words cannot be names of attributes as they are.
var words = []string{"true", "false", "null", "in", "not", "and", "or", "when", "serve", "else"}

// value reads an attribute or a literal.
func (p *parser) value() any {
	if name, ok := p.attribute(); ok {
		return variable(name)
	}
	t := p.next()
	switch {
	case t.kind == tokenString:
		return t.value
	case t.kind == tokenNumber:
		return json.Number(t.text)
	case t.text == "true" || t.text == "false":
		return t.text == "true"
	case t.text == "null":
		return nil
	case t.text == "not":
		p.fail(t.at, `unexpected "not"`, "write !")
	case t.text == "[":
		p.fail(t.at, "unexpected list", `a list stands after in: country in ["NZ", "AU"]`)
	case t.kind == tokenName && slices.Contains(words, t.text):
		p.fail(t.at, "unexpected "+t.String(), fmt.Sprintf("an attribute of that name is written attr(%s)", t))
	case t.kind == tokenName: // not an attribute, so it is called
		p.pos--
		p.misplaced(t)
	default:
		p.fail(t.at, fmt.Sprintf("unexpected %s, want an attribute or a value", t), "")
	}
	return nil
}

// misplaced is a function where a value has to be.
func (p *parser) misplaced(t token) {
	if slices.Contains(functions, t.text) {
		p.fail(t.at, fmt.Sprintf("%s(...) is a condition, not a value", t.text), "conditions are joined with && and ||, not compared")
		return
	}
	p.call()
}

// attribute reads a name if one is next.
func (p *parser) attribute() (name string, ok bool) {
	t := p.peek()
	if p.called("attr") {
		name = p.argument("the name of the attribute")
		if name == "" && p.err == nil {
			p.fail(t.at, "an attribute without a name", "")
		}
		p.expect(")", "after the name")
	} else if t.kind == tokenName && !p.beforeParenthesis() && !slices.Contains(words, t.text) {
		name = p.next().text
	} else {
		return "", false
	}
	p.known(t.at, name)
	return name, true
}

// known refuses the variables of flagd's own name space that there are not.
func (p *parser) known(at int, name string) {
	own := []string{"$flagd.timestamp", "$flagd.flagKey"}
	if (name == "$flagd" || len(name) > 7 && name[:7] == "$flagd.") && !slices.Contains(own, name) {
		p.fail(at, "unknown variable "+excerpt(name), "there are $flagd.timestamp and $flagd.flagKey")
	}
}

// argument reads a string.
func (p *parser) argument(what string) string {
	t := p.next()
	if t.kind != tokenString {
		p.fail(t.at, fmt.Sprintf("unexpected %s, want %s in quotes", t, what), "")
	}
	return t.value
}

// haystack is what "in" and contains look into.
func (p *parser) haystack() any {
	t := p.peek()
	switch {
	case t.text == "[":
		return p.list()
	case p.called("segment"):
		return p.segment(t)
	case t.kind == tokenNumber || slices.Contains([]string{"true", "false", "null"}, t.text):
		p.fail(t.at, "cannot look into "+t.text, `look into a list, a text or an attribute: country in ["NZ", "AU"]`)
		return nil
	case t.text == "(":
		p.fail(t.at, "unexpected \"(\"", `a list is written in brackets: ["NZ", "AU"]`)
		return nil
	}
	return p.value()
}

func (p *parser) list() any {
	p.expect("[", "to begin a list")
	list := []any{}
	if _, ok := p.sign("]"); ok {
		return list
	}
	for p.err == nil {
		t := p.peek()
		element := p.value()
		if _, composite := element.(map[string]any); composite {
			p.fail(t.at, "a list holds text, numbers, true, false and null", "quote text: "+quote(t.text))
		}
		list = append(list, element)
		if _, ok := p.sign("]"); ok {
			break
		}
		p.expect(",", "or \"]\" in a list")
	}
	return list
}

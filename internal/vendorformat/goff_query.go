package vendorformat

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// goffQuery translates the condition of a rule: JsonLogic as it is, or the query
// language. why says what cannot be kept. An empty query is everybody.
func goffQuery(text string, note func(string)) (term any, why string) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return true, ""
	case strings.HasPrefix(text, "{"):
		canonical, err := flags.Canonical([]byte(text))
		if err != nil {
			return nil, "its JsonLogic is no JSON"
		}
		note("JsonLogic is taken as it is; what this evaluation does not know is refused when it is written")
		return json.RawMessage(canonical), ""
	}
	p := &goffParser{text: text, note: note}
	term = p.query(0)
	if p.why == "" && p.pos < len(p.text) {
		p.fail("unexpected %q", p.rest())
	}
	return term, p.why
}

// goffParser reads:
//
//	query = test { ("and" | "or") test }        from the left: neither binds closer
//	test  = [ "not" ] "(" query ")" | name "pr" | name operator value
type goffParser struct {
	text string
	pos  int
	note func(string)
	why  string
}

const goffDepth = 20

func (p *goffParser) fail(format string, args ...any) {
	if p.why == "" {
		p.why = fmt.Sprintf("its query cannot be read: column %d: %s", p.pos+1, fmt.Sprintf(format, args...))
	}
}

func (p *goffParser) rest() string {
	rest := p.text[p.pos:]
	return strings.ToValidUTF8(rest[:min(len(rest), 20)], "?")
}

func (p *goffParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\n\r", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

// word takes the next characters that names and operators are made of.
func (p *goffParser) word() string {
	p.space()
	begin := p.pos
	for p.pos < len(p.text) && strings.IndexByte(" \t\n\r()[],\"", p.text[p.pos]) < 0 {
		p.pos++
	}
	return p.text[begin:p.pos]
}

func (p *goffParser) sign(c byte) bool {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *goffParser) query(depth int) any {
	term := p.test(depth)
	for p.why == "" {
		p.space()
		begin := p.pos
		switch p.word() {
		case "and":
			term = chained("and", term, p.test(depth))
		case "or":
			term = chained("or", term, p.test(depth))
		default:
			p.pos = begin
			return term
		}
	}
	return nil
}

// chained keeps a chain of one operator flat.
func chained(op string, left, right any) any {
	if m, ok := left.(map[string]any); ok {
		if list, same := m[op].([]any); same {
			return map[string]any{op: append(list, right)}
		}
	}
	return operation(op, left, right)
}

func (p *goffParser) test(depth int) any {
	if depth > goffDepth {
		p.fail("nested deeper than %d levels", goffDepth)
		return nil
	}
	if p.sign('(') {
		return p.parenthesis(depth)
	}
	name := p.word()
	if (name == "not" || name == "NOT") && p.sign('(') {
		return not(p.parenthesis(depth))
	}
	if name == "" {
		p.fail("want the name of an attribute, not %q", p.rest())
		return nil
	}
	switch name {
	case "key":
		name = targetingKey
	case "anonymous":
		p.note("anonymous is an attribute like any other here: absent, it is not false")
	}
	op := strings.ToLower(p.word())
	if op == "pr" {
		return present(name)
	}
	return p.compare(name, op)
}

func (p *goffParser) parenthesis(depth int) any {
	term := p.query(depth + 1)
	if p.why == "" && !p.sign(')') {
		p.fail("want ), not %q", p.rest())
	}
	return term
}

var goffSigns = map[string]string{
	"eq": "==", "==": "==", "ne": "!=", "!=": "!=", "lt": "<", "<": "<", "gt": ">", ">": ">", "le": "<=", "<=": "<=", "ge": ">=", ">=": ">=",
}

// compare: whatever the operator, an attribute that is absent does not match.
func (p *goffParser) compare(name, op string) any {
	sign, order := goffSigns[op]
	p.space()
	switch {
	case op == "in":
		return p.list(name)
	case !order && op != "co" && op != "sw" && op != "ew":
		p.fail("unknown operator %q", op)
		return nil
	}
	if p.pos < len(p.text) && p.text[p.pos] == '"' {
		return p.compareText(name, op, sign, p.quoted())
	}
	literal := p.word()
	switch {
	case !order:
		p.fail("%s compares text; quote it", op)
	case literal == "true" || literal == "false" || literal == "null":
		return p.compareWord(name, sign, literal)
	case strings.Count(literal, ".") == 2 && isSemver(literal):
		p.note("comparing versions: they may begin with v, and leave out parts, here")
		return operation("sem_ver", attribute(name), strings.Replace(sign, "==", "=", 1), literal)
	default:
		return p.compareNumber(name, sign, literal)
	}
	return nil
}

func (p *goffParser) compareWord(name, sign, literal string) any {
	equal := operation("===", attribute(name), json.RawMessage(literal))
	switch {
	case sign != "==" && sign != "!=":
		p.fail("%s has no order", literal)
		return nil
	case literal == "null":
		return operation(sign, attribute(name), nil)
	case sign == "==":
		return equal
	}
	return operation("===", attribute(name), literal == "false") // the other one: nothing else is compared
}

func (p *goffParser) compareNumber(name, sign, literal string) any {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || f-f != 0 || !json.Valid([]byte(literal)) {
		p.fail("%q is no value; text is quoted", literal)
		return nil
	}
	if !strings.Contains(literal, ".") {
		p.note("comparing whole numbers: the attribute's decimals count here, there they are cut off")
	}
	if sign == "==" {
		return operation("===", attribute(name), json.RawMessage(literal))
	}
	p.note("comparing numbers: text that reads as a number is compared as one here, there it never matches")
	return all(present(name), operation(sign, attribute(name), json.RawMessage(literal)))
}

func (p *goffParser) compareText(name, op, sign, text string) any {
	if strings.ToLower(text) != strings.ToUpper(text) {
		p.note("comparing text: small and capital letters differ here, there they do not")
	}
	switch op {
	case "co":
		return operation("in", text, attribute(name))
	case "sw":
		return operation("starts_with", attribute(name), text)
	case "ew":
		return operation("ends_with", attribute(name), text)
	}
	switch sign {
	case "==":
		return operation("===", attribute(name), text)
	case "!=":
		p.note("comparing text: an attribute that is no text differs from text here, there it never matches")
		return all(present(name), operation("!=", attribute(name), text))
	}
	p.note("comparing text: a number is compared with text as one here, there it never matches")
	return all(present(name), operation(sign, attribute(name), text))
}

// quoted reads text in quotes. Escapes stand for themselves, as the language has it.
func (p *goffParser) quoted() string {
	begin := p.pos + 1
	for p.pos = begin; p.pos < len(p.text); p.pos++ {
		switch p.text[p.pos] {
		case '\\':
			p.pos++
		case '"':
			p.pos++
			return p.text[begin : p.pos-1]
		}
	}
	p.pos = len(p.text)
	p.fail("text that does not end")
	return ""
}

func (p *goffParser) list(name string) any {
	if !p.sign('[') {
		p.fail("want a list, not %q", p.rest())
		return nil
	}
	var values []any
	for p.why == "" {
		p.space()
		if p.pos < len(p.text) && p.text[p.pos] == '"' {
			values = append(values, p.quoted())
		} else if word := p.word(); json.Valid([]byte(word)) && kindOf([]byte(word)) == "number" {
			values = append(values, json.RawMessage(word))
		} else {
			p.fail("want text or a number, not %q", word)
		}
		if p.sign(']') {
			return oneOf(name, values)
		}
		if !p.sign(',') {
			p.fail("want , or ], not %q", p.rest())
		}
	}
	return nil
}

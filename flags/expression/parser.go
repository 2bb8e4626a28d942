package expression

import (
	"fmt"
	"slices"
)

// parser reads tokens into a term. The first mistake ends it: from then on it sees nothing but the end.
type parser struct {
	text   string
	tokens []token
	pos    int
	depth  int
	shared bool // inside a segment
	err    error
}

func newParser(text string) *parser {
	p := &parser{text: text}
	if len(text) > MaxLength {
		p.tokens = []token{{kind: tokenEnd}}
		p.fail(0, fmt.Sprintf("%d bytes are too long, at most %d", len(text), MaxLength), "split it into segments")
		return p
	}
	p.tokens = tokens(text)
	return p
}

func (p *parser) fail(at int, message, hint string) {
	if p.err == nil {
		p.err = errorAt(p.text, at, message, hint)
	}
	p.pos = len(p.tokens) - 1
}

// peek returns the next token; the end, once there was a mistake.
func (p *parser) peek() token {
	t := p.tokens[p.pos]
	if t.kind == tokenBad {
		p.fail(t.at, t.value, t.hint)
	}
	if p.err != nil {
		return token{kind: tokenEnd, at: t.at}
	}
	return t
}

func (p *parser) next() token {
	t := p.peek()
	if p.pos < len(p.tokens)-1 {
		p.pos++
	}
	return t
}

// sign consumes one of the signs or words given if it is next, and returns it.
func (p *parser) sign(wanted ...string) (string, bool) {
	t := p.peek()
	if (t.kind == tokenSign || t.kind == tokenName) && slices.Contains(wanted, t.text) {
		p.next()
		return t.text, true
	}
	return "", false
}

func (p *parser) expect(sign, after string) {
	if _, ok := p.sign(sign); !ok {
		t := p.peek()
		p.fail(t.at, fmt.Sprintf("unexpected %s, want %q %s", t, sign, after), "")
	}
}

// called reports whether a function of that name is next, and consumes it with its parenthesis.
func (p *parser) called(name string) bool {
	if t := p.peek(); t.kind != tokenName || t.text != name || !p.beforeParenthesis() {
		return false
	}
	p.pos += 2
	return true
}

func (p *parser) beforeParenthesis() bool {
	return p.pos+1 < len(p.tokens) && p.tokens[p.pos+1].kind == tokenSign && p.tokens[p.pos+1].text == "("
}

// end refuses what follows a whole condition.
func (p *parser) end() {
	t := p.peek()
	hint := ""
	switch t.text {
	case "":
		if t.kind == tokenEnd {
			return
		}
	case "and", "AND":
		hint = "write &&"
	case "or", "OR":
		hint = "write ||"
	case "=":
		hint = "write =="
	case "~", "^":
		hint = `versions are compared as in semver(version) ~ "1.2"`
	case ")":
		hint = "it closes nothing"
	default:
		hint = "join conditions with && or ||"
		if slices.Contains(comparisons, t.text) {
			hint = "attributes and values are compared, two at a time; join comparisons with &&"
		}
	}
	p.fail(t.at, "unexpected "+t.String(), hint)
}

// condition reads alternatives.
func (p *parser) condition() any { return p.joined("||", "or", p.all) }

func (p *parser) all() any { return p.joined("&&", "and", p.test) }

// joined reads parts with a sign between them. One alone is itself; a group in parentheses stays a group.
func (p *parser) joined(sign, operator string, part func() any) any {
	parts := []any{part()}
	for p.err == nil {
		if _, ok := p.sign(sign); !ok {
			break
		}
		parts = append(parts, part())
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return operation(operator, parts...)
}

// deeper guards against text that nests more than a rule may.
func (p *parser) deeper(at int, part func() any) any {
	if p.depth++; p.depth > MaxDepth {
		p.fail(at, fmt.Sprintf("nested deeper than %d levels", MaxDepth), "give a part of it a name as a segment")
	}
	term := any(nil)
	if p.err == nil {
		term = part()
	}
	p.depth--
	return term
}

func (p *parser) test() any {
	t := p.peek()
	if _, ok := p.sign("!"); ok {
		return unary("!", p.deeper(t.at, p.negated))
	}
	if _, ok := p.sign("("); ok {
		term := p.deeper(t.at, p.condition)
		p.expect(")", "to close the parenthesis")
		return term
	}
	if p.called("semver") {
		return p.version()
	}
	if p.calls(t) {
		return p.call()
	}
	return p.comparison()
}

// calls reports whether t, which is next, begins a function that is a condition by itself.
func (p *parser) calls(t token) bool {
	return t.kind == tokenName && p.beforeParenthesis() && t.text != "attr" && t.text != "semver" && !slices.Contains(words, t.text)
}

// negated is what follows "!". To the eye !a == b may be (!a) == b or !(a == b), so it has to be said.
func (p *parser) negated() any {
	t := p.peek()
	bare := t.text != "(" && t.text != "!" && !p.calls(t)
	term := p.test()
	if _, isAttribute := variableName(term); bare && !isAttribute && term != true && term != false {
		p.fail(t.at, "! before a comparison", "put it in parentheses: !(a == b)")
	}
	return term
}

var comparisons = []string{"==", "!=", "===", "!==", "<", "<=", ">", ">="}

// comparison reads a test that begins with a value.
func (p *parser) comparison() any {
	left := p.peek()
	term := p.value()
	if op, ok := p.sign(comparisons...); ok {
		return operation(op, term, p.value())
	}
	if _, ok := p.sign("in"); ok {
		return operation("in", term, p.haystack())
	}
	if _, ok := p.sign("not"); ok {
		p.expect("in", `after "not"`)
		return unary("!", operation("in", term, p.haystack()))
	}
	if _, isAttribute := variableName(term); isAttribute || term == true || term == false || p.err != nil {
		return term
	}
	if t := p.peek(); t.text == "=" {
		p.fail(t.at, "unexpected \"=\"", "write ==")
	}
	p.fail(left.at, left.String()+" alone is no condition", `compare it with an attribute: plan == "pro"`)
	return nil
}

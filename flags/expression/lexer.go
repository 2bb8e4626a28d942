package expression

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenBad           // text that is no token; value and hint say why
	tokenName
	tokenString
	tokenNumber
	tokenSign
)

// token is a word of the text.
type token struct {
	kind  tokenKind
	at    int    // offset of its first byte
	text  string // as written
	value string // of a string: what it stands for; of a bad one: the message
	hint  string
}

// String names the token in messages.
func (t token) String() string {
	switch t.kind {
	case tokenEnd:
		return "end of the text"
	case tokenString:
		return "text " + excerpt(t.value)
	case tokenNumber:
		return "number " + t.text
	}
	return excerpt(t.text)
}

// signs in the order in which they are tried: the longer ones first.
var signs = []string{"===", "!==", "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "~", "^", "(", ")", "[", "]", ",", ":", "="}

// tokens splits a text. The last token is an end, or a bad one: so that of several mistakes the first is reported, it
// counts only once a parser gets there.
func tokens(text string) []token {
	var list []token
	for at := 0; ; {
		at += len(text[at:]) - len(strings.TrimLeft(text[at:], " \t\r\n"))
		t := lex(text, at)
		list = append(list, t)
		if t.kind == tokenEnd || t.kind == tokenBad {
			return list
		}
		at += len(t.text)
	}
}

func lex(text string, at int) token {
	rest := text[at:]
	if rest == "" {
		return token{kind: tokenEnd, at: at}
	}
	switch c := rest[0]; {
	case c == '"' || c == '\'':
		return lexString(text, at)
	case isDigit(c) || c == '-' && len(rest) > 1 && isDigit(rest[1]):
		return lexNumber(rest, at)
	case isName(c):
		return token{kind: tokenName, at: at, text: rest[:pathLength(rest)]}
	}
	for _, sign := range signs {
		if strings.HasPrefix(rest, sign) {
			return token{kind: tokenSign, at: at, text: sign}
		}
	}
	return lexStranger(rest, at)
}

func bad(at int, message, hint string) token {
	return token{kind: tokenBad, at: at, value: message, hint: hint}
}

// lexStranger says what is wrong with a character that begins nothing.
func lexStranger(rest string, at int) token {
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == utf8.RuneError && size == 1:
		return bad(at, fmt.Sprintf("byte 0x%02x is not UTF-8", rest[0]), "")
	case strings.ContainsRune("\u201c\u201d\u2018\u2019", r):
		return bad(at, fmt.Sprintf("typographic quote %q", r), `write plain quotes: "NZ"`)
	case !unicode.IsPrint(r):
		return bad(at, fmt.Sprintf("invisible character %U", r), `remove it, or write it into a string as an escape such as \u200e`)
	case r == '&' || r == '|':
		return bad(at, fmt.Sprintf("single %q", r), fmt.Sprintf("write %c%c", r, r))
	case strings.ContainsRune("+-*/%", r):
		return bad(at, fmt.Sprintf("unexpected %q", r), "there is no arithmetic; compute the attribute in the application")
	case unicode.IsLetter(r):
		return bad(at, fmt.Sprintf("unexpected %q", r), `an attribute with other characters than letters a-z, digits and _ is written attr("name")`)
	}
	return bad(at, fmt.Sprintf("unexpected %q", r), "")
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isName reports whether c may begin a name; digits may follow.
func isName(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '$' }

// pathLength returns the length of the dotted name that s begins with, whose parts after the first may be digits, as in
// items.0.name.
func pathLength(s string) int {
	n := 0
	if s == "" || !isName(s[0]) {
		return 0
	}
	for n < len(s) && (isName(s[n]) || isDigit(s[n]) || s[n] == '.' && n+1 < len(s) && (isName(s[n+1]) || isDigit(s[n+1]))) {
		n++
	}
	return n
}

// lexNumber takes the number as it is written: it is what the rule will hold.
func lexNumber(rest string, at int) token {
	n := 1
	for n < len(rest) && (isDigit(rest[n]) || isName(rest[n]) || rest[n] == '.' || (rest[n] == '-' || rest[n] == '+') && rest[n-1]|0x20 == 'e') {
		n++
	}
	literal := rest[:n]
	if _, err := flags.Canonical([]byte(literal)); err == nil {
		return token{kind: tokenNumber, at: at, text: literal}
	}
	hint := "numbers are written as in JSON: 12, -3.5, 1e6"
	if strings.Count(literal, ".") > 1 {
		hint = `quote versions: semver(version) >= "1.2.0"`
	}
	return bad(at, "malformed number "+excerpt(literal), hint)
}

// lexString reads a string in double or single quotes, with the escapes of JSON.
func lexString(text string, at int) token {
	body := []byte{'"'} // as a JSON string
	for i := at + 1; i < len(text); i++ {
		switch c := text[i]; {
		case c == text[at]:
			return finishString(text[at:i+1], append(body, '"'), at)
		case c == '\\' && i+1 < len(text):
			i++
			if !strings.ContainsRune(`"\/bfnrtu'`, rune(text[i])) {
				return bad(i-1, "unknown escape in a string", `there are \" \' \\ \/ \b \f \n \r \t and \uXXXX`)
			}
			if text[i] == '\'' {
				body = append(body, '\'')
				continue
			}
			body = append(body, '\\', text[i])
		case c == '\n' || c == '\r':
			return bad(i, "line break in a string", `write it as \n, or close the string`)
		case c < ' ':
			return bad(i, fmt.Sprintf("control character %U in a string", c), fmt.Sprintf(`write it as \u%04x`, c))
		case c == '"':
			body = append(body, '\\', c)
		default:
			body = append(body, c)
		}
	}
	return bad(at, "string without an end", "close it with "+text[at:at+1])
}

func finishString(written string, body []byte, at int) token {
	t := token{kind: tokenString, at: at, text: written}
	strict, err := flags.Canonical(body)
	if err == nil {
		err = json.Unmarshal(strict, &t.value)
	}
	if err != nil {
		return bad(at, "malformed string", `it holds a wrong \uXXXX, or bytes that are not UTF-8`)
	}
	return t
}

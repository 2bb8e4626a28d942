// Package redact takes what may be secret out of URLs, and out of what libraries say
// about them, before somebody reads it.
//
// It works on the text: a list of hosts is no URL to net/url, and one that was mistyped
// may hold a password, too. Where it is unclear which part is which, it shows less.
package redact

import (
	"errors"
	"net/url"
	"slices"
	"strings"
)

const gone = "..."

// parts are a URL taken apart.
type parts struct {
	scheme   string // with what parts it from the rest
	user     string // and password
	unclear  bool   // whether that is what user holds
	hosts    []string
	path     string
	params   string
	asItIs   bool // it is the path of a file
	badPorts []string
}

func split(raw string) parts {
	var p parts
	if scheme, _, _ := strings.Cut(raw, ":"); slices.Contains([]string{"file", "bolt", "memory"}, scheme) {
		p.asItIs = true
		return p
	}
	scheme, rest, ok := strings.Cut(raw, "://")
	if ok {
		p.scheme = scheme + "://"
	} else {
		rest = raw
	}
	at := strings.LastIndexByte(rest, '@')
	if at >= 0 {
		p.user, rest = rest[:at], rest[at+1:]
	}
	p.unclear = strings.ContainsAny(p.user, "?#") // a password with such a mark in it, or a parameter with an @
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest, p.params = rest[:end], rest[end+1:]
	}
	hosts, path, found := strings.Cut(rest, "/")
	if found {
		p.path = "/" + path
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if colon := strings.LastIndexByte(host, ':'); colon >= 0 && !strings.HasSuffix(host, "]") && !number(host[colon+1:]) {
			p.badPorts = append(p.badPorts, host[colon+1:]) // a password whose @ was forgotten
			host = host[:colon+1] + gone
		}
		p.hosts = append(p.hosts, host)
	}
	return p
}

func number(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

// URL returns a URL, or what somebody took for one, without credentials and parameters.
// The paths of files (file:, bolt:) stay as they are.
func URL(raw string) string {
	p := split(raw)
	switch {
	case p.asItIs:
		return raw
	case p.unclear:
		return p.scheme + gone
	case len(p.badPorts) > 0: // what follows may be the rest of a password
		return p.scheme + strings.Join(p.hosts, ",")
	}
	return p.scheme + strings.Join(p.hosts, ",") + p.path
}

// Error returns an error with the text of err, without the URL that it is about and
// without its password and the values of its parameters, and pieces of them.
func Error(err error, raw string) error {
	text := err.Error()
	var parsing *url.Error
	if errors.As(err, &parsing) {
		text = parsing.Err.Error() // the rest of it is the URL
	}
	for _, secret := range secrets(raw) {
		text = strings.ReplaceAll(text, secret, gone)
	}
	var escape url.EscapeError
	if errors.As(err, &escape) { // last, as it is a piece of the others
		text = strings.ReplaceAll(text, string(escape), gone)
	}
	return errors.New(text)
}

// secrets returns what must not be shown, long pieces first.
func secrets(raw string) []string {
	p := split(raw)
	if p.asItIs {
		return nil
	}
	out := append([]string{raw, p.user}, p.badPorts...)
	if _, password, found := strings.Cut(p.user, ":"); found {
		out = append(out, pieces(password)...)
	}
	for param := range strings.SplitSeq(p.params, "&") {
		_, value, _ := strings.Cut(param, "=")
		out = append(out, pieces(value)...)
	}
	out = slices.DeleteFunc(out, func(s string) bool { return s == "" })
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// pieces returns a value as a library may quote it: whole, without escapes, and what
// is left of it where the library takes a mark in it for the end of something.
func pieces(value string) []string {
	out := []string{value}
	for _, unescape := range []func(string) (string, error){url.PathUnescape, url.QueryUnescape} {
		if plain, err := unescape(value); err == nil {
			out = append(out, plain)
		}
	}
	const least = 3 // shorter ones are in many words
	for _, piece := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(":/?#[]@%&=,", r) }) {
		if len(piece) >= least {
			out = append(out, piece)
		}
	}
	return out
}

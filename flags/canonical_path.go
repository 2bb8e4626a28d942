package flags

import (
	"strconv"
	"unicode/utf8"
)

// step is one step of a path into an array.
func step(i int) string { return "[" + strconv.Itoa(i) + "]" }

// stepName is one step of a path into an object. Plain names are written with a
// dot, any that could be misread are quoted in brackets.
func stepName(name string) string {
	plain := name != ""
	for _, r := range name {
		plain = plain && r > ' ' && r != '.' && r != '[' && r != ']' && r != '"' && r != '\\' && r != 0x7f
	}
	if plain {
		return "." + shorten(name)
	}
	return "[" + quoted(shorten(name)) + "]"
}

// shorten keeps what users wrote from flooding a message.
func shorten(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

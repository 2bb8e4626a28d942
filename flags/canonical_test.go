package flags_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestCanonical(t *testing.T) {
	for in, want := range map[string]string{
		" null ":                         `null`,
		"\ufeff{}":                       `{}`,
		`{"b":1,"a":{"d":[ ],"c":true}}`: `{"a":{"c":true,"d":[]},"b":1}`,
		"[1,\n\t2 , 3]":                  `[1,2,3]`,
		// Literals stay: what was written is what is exported.
		`[1.0,1e3,1E+3,-0,0.10,12345678901234567890]`: `[1.0,1e3,1E+3,-0,0.10,12345678901234567890]`,
		// One form of each string, and nothing escaped that need not be.
		`"\u0041\/\u003c\u00e9\ud83d\ude00"`: `"A/<é😀"`,
		`"\"\\\b\f\n\r\t\u0001\u001F"`:       `"\"\\\u0008\u000c\n\r\t\u0001\u001f"`,
		"\"\u2028<&>\u007f\"":                "\"\u2028<&>\u007f\"",
		// Names sort by bytes, after they were decoded.
		`{"\u0062":1,"a":2,"B":3,"é":4,"":5,"😀":6,"ﬀ":7}`: `{"":5,"B":3,"a":2,"b":1,"é":4,"ﬀ":7,"😀":6}`,
		strings.Repeat("[", 64) + strings.Repeat("]", 64): strings.Repeat("[", 64) + strings.Repeat("]", 64),
	} {
		got, err := flags.Canonical([]byte(in))
		if err != nil || string(got) != want {
			t.Errorf("%s\ngot  %s (%v)\nwant %s", in, got, err, want)
		}
	}
}

func TestCanonicalRefuses(t *testing.T) {
	for _, tc := range []struct{ in, want string }{
		{``, `line 1, column 1: $: unexpected end of the text, want a value`},
		{`{"a":1,"b":{"c":1,"\u0063":2}}`, `line 1, column 19: $.b: duplicate key "c"; keep one of them`},
		{"{\"a\":[\n  1,\n  tru]}", `line 3, column 3: $.a[1]: unexpected 't', want a value`},
		{`{"a b":[{"c.d":x}]}`, `line 1, column 16: $["a b"][0]["c.d"]: unexpected 'x', want a value`},
		{`{"é":1,é}`, `line 1, column 8: $: unexpected 'é', want a quoted name`},
		{`[1,]`, `line 1, column 4: $[1]: unexpected ']', want a value`},
		{`[1 2]`, `line 1, column 4: $[0]: unexpected '2', want "," or "]"`},
		{`{"a" 1}`, `line 1, column 6: $.a: unexpected '1', want ":"`},
		{`{"a":1,}`, `line 1, column 8: $: unexpected '}', want a quoted name`},
		{`{"a":1`, `line 1, column 7: $.a: unexpected end of the text, want "," or "}"`},
		{`{a:1}`, `line 1, column 2: $: unexpected 'a', want a quoted name`},
		{`1 2`, `line 1, column 3: $: unexpected '2' after the end of the document`},
		{`01`, `line 1, column 2: $: unexpected '1' after the end of the document`},
		{`-`, `line 1, column 1: $: malformed number "-"`},
		{`1.`, `line 1, column 1: $: malformed number "1."`},
		{`1e`, `line 1, column 1: $: malformed number "1e"`},
		{strings.Repeat("9", 500) + "e", `line 1, column 1: $: malformed number "` + strings.Repeat("9", 80) + `..."`},
		{`.5`, `line 1, column 1: $: unexpected '.', want a value`},
		{`1e999`, `line 1, column 1: $: number 1e999 is out of range`},
		{`NaN`, `line 1, column 1: $: unexpected 'N', want a value`},
		{`'a'`, `line 1, column 1: $: unexpected '\'', want a value`},
		{`"a`, `line 1, column 1: $: string without an end`},
		{"\"a\nb\"", `line 1, column 3: $: control character 0x0a in a string; write it as an escape`},
		{`"\x"`, `line 1, column 2: $: unknown escape in a string; JSON has \" \\ \/ \b \f \n \r \t and \uXXXX`},
		{`"\u12"`, `line 1, column 2: $: unknown escape in a string; JSON has \" \\ \/ \b \f \n \r \t and \uXXXX`},
		{`"\`, `line 1, column 2: $: unknown escape in a string; JSON has \" \\ \/ \b \f \n \r \t and \uXXXX`},
		{`"\ud83d!"`, `line 1, column 2: $: half of a surrogate pair; it stands for no character`},
		{`"\ude00\ud83d"`, `line 1, column 2: $: half of a surrogate pair; it stands for no character`},
		{"\"\xff\"", `line 1, column 2: $: byte 0xff is not UTF-8`},
		{"\xff", `line 1, column 1: $: unexpected byte 0xff, want a value`},
		{"/* c */ 1", `line 1, column 1: $: unexpected '/', want a value`},
		{strings.Repeat("[", 65), "line 1, column 65: $" + strings.Repeat("[0]", 33) + "..." + strings.Repeat("[0]", 20) + `: nested deeper than 64 levels`},
	} {
		_, err := flags.Canonical([]byte(tc.in))
		if !errors.Is(err, flags.ErrInvalid) || err.Error() != "flags: invalid: "+tc.want {
			t.Errorf("%q\ngot  %v\nwant flags: invalid: %s", tc.in, err, tc.want)
		}
	}
}

func TestCanonicalRefusesTooMuch(t *testing.T) {
	_, err := flags.Canonical(make([]byte, flags.MaxDocumentBytes+1))
	if err == nil || err.Error() != "flags: invalid: line 1, column 1: $: 67108865 bytes are too much, at most 67108864" {
		t.Errorf("%v", err)
	}
}

// FuzzCanonical compares with encoding/json, which is laxer: what we accept it
// accepts too, and it sees the same value before and after.
func FuzzCanonical(f *testing.F) {
	for _, text := range []string{
		checkoutFlag, shopDocument, `[1.0,1e3,-0,"\ud83d\ude00\u0000"]`, `{"a":1,"a":2}`, `"\ud800"`, "\"\xff\"", `[[[[[]]]]]`, `1e400`, `{"\"":"\\"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := flags.Canonical(data)
		if err != nil {
			if !errors.Is(err, flags.ErrInvalid) || !utf8.ValidString(err.Error()) || len(err.Error()) > 1000 {
				t.Fatalf("an error of its own kind: %q", err)
			}
			return
		}
		twice, err := flags.Canonical(once)
		if err != nil || string(twice) != string(once) {
			t.Fatalf("not idempotent: %s, then %s (%v)", once, twice, err)
		}
		var before, after any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(string(data), "\ufeff")), &before); err != nil {
			t.Fatalf("encoding/json refuses what was accepted: %v", err)
		}
		if err := json.Unmarshal(once, &after); err != nil {
			t.Fatalf("encoding/json refuses %s: %v", once, err)
		}
		a, _ := json.Marshal(before)
		b, _ := json.Marshal(after)
		if string(a) != string(b) {
			t.Fatalf("the value changed: %s, then %s", a, b)
		}
	})
}

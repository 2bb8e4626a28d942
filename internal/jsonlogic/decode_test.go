package jsonlogic_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

func TestParseJSONErrors(t *testing.T) {
	tests := []struct {
		text   string
		offset int
		line   int
		column int
		reason string
	}{
		{``, 0, 1, 1, "unexpected end, a value expected"},
		{"\n  ", 3, 2, 3, "unexpected end, a value expected"},
		{`{"a":1,}`, 7, 1, 8, `unexpected '}', a key expected`},
		{`{"a":1 "b":2}`, 7, 1, 8, `unexpected '"', "," or "}" expected`},
		{`{"a" 1}`, 5, 1, 6, `unexpected '1', ":" expected`},
		{`[1 2]`, 3, 1, 4, `unexpected '2', "," or "]" expected`},
		{`[1,]`, 3, 1, 4, `unexpected ']', a value expected`},
		{`[1`, 2, 1, 3, `unexpected end, "," or "]" expected`},
		{`nul`, 0, 1, 1, `unexpected 'n', "null" expected`},
		{`01`, 0, 1, 1, "malformed number"},
		{`[-]`, 2, 1, 3, "malformed number"},
		{`1.`, 0, 1, 1, "malformed number"},
		{`1e+`, 0, 1, 1, "malformed number"},
		{`1e999`, 0, 1, 1, "number out of range"},
		{`"abc`, 4, 1, 5, "unexpected end of a string"},
		{`"a\`, 3, 1, 4, "unexpected end of a string"},
		{"\"a\nb\"", 2, 1, 3, "control character in a string"},
		{"\"\\n\x01\"", 3, 1, 4, "control character in a string"},
		{`"a\x"`, 2, 1, 3, "unknown escape in a string"},
		{`"\u12g4"`, 1, 1, 2, `malformed \u escape`},
		{"\"a\xff\"", 2, 1, 3, "invalid UTF-8"},
		{"\"\\n\xff\"", 3, 1, 4, "invalid UTF-8"},
		{"{\n \"a\": 1,\n \"b\": 2,\n \"a\": 3\n}", 21, 4, 2, `duplicate key "a"`},
		{`[{"a":{"x":1},"a":2}]`, 14, 1, 15, `duplicate key "a"`},
		{`{"a":1,"a":"a"}`, 7, 1, 8, `duplicate key "a"`},
		{`[{"":1,"":2}]`, 1, 1, 2, `duplicate key ""`},
		{`{"a":1,"\u0061":2}`, 1, 1, 2, `duplicate key "a"`},
		{`{} {}`, 3, 1, 4, "unexpected text after the document"},
		{"\ufeff{}", 0, 1, 1, `unexpected '\ufeff', a value expected`},
		{strings.Repeat("[", 65), 64, 1, 65, "nested deeper than 64 levels"},
		{strings.Repeat(`{"a":`, 65), 320, 1, 321, "nested deeper than 64 levels"},
	}
	for _, tt := range tests {
		v, err := jsonlogic.ParseJSON([]byte(tt.text))
		var syntax *jsonlogic.SyntaxError
		if !errors.As(err, &syntax) || !v.IsNull() {
			t.Errorf("%q: %v, %v, want a SyntaxError", tt.text, v, err)
			continue
		}
		want := jsonlogic.SyntaxError{Offset: tt.offset, Line: tt.line, Column: tt.column, Reason: tt.reason}
		if *syntax != want {
			t.Errorf("%q:\n got %+v\nwant %+v", tt.text, *syntax, want)
		}
	}
}

func TestParseJSONDepth(t *testing.T) {
	text := strings.Repeat("[", jsonlogic.MaxDepth) + strings.Repeat("]", jsonlogic.MaxDepth)
	v, err := jsonlogic.ParseJSON([]byte(text))
	if err != nil || v.String() != text {
		t.Errorf("%d levels: %v, %v", jsonlogic.MaxDepth, v, err)
	}
}

// Ten megabytes of nesting must be refused at the limit, not after a deep recursion.
func TestParseJSONDeepNesting(t *testing.T) {
	for _, unit := range []string{"[", `{"a":`} {
		text := bytes.Repeat([]byte(unit), 10<<20/len(unit))
		if _, err := jsonlogic.ParseJSON(text); err == nil || !strings.Contains(err.Error(), "nested deeper") {
			t.Errorf("nesting of %q: %v", unit, err)
		}
	}
}

// FuzzParseJSON accepts exactly what encoding/json accepts, less invalid UTF-8, repeated keys and deep nesting, and reads
// the same values.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e3,true,null,"\u00e9\ud83d\ude00\n"],"b":{}}`, `"\ud800"`, `"\ud800\u0041"`, ` [ ] `,
		`{"a":1,"a":2}`, `1e999`, `-0`, `0.0001`, `123456789012345678`, `1E5`, "\"\xff\"", `[[[[]]]]`, `{"b":1,"a":{"d":1,"c":2}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := jsonlogic.ParseJSON(bytes.Clone(text))
		want, ok := plainDecode(text)
		if (err == nil) != ok {
			t.Fatalf("%q: error %v, want accepted: %v", text, err, ok)
		}
		if err != nil {
			return
		}
		if got := v.ToAny(); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q: got %#v, want %#v", text, got, want)
		}
		again, err := jsonlogic.ParseJSON(v.AppendJSON(nil))
		if err != nil || !again.Equal(v) {
			t.Fatalf("%q: written as %s, read as %s, %v", text, v, again, err)
		}
	})
}

// plainDecode is encoding/json with our restrictions checked on its tokens.
func plainDecode(text []byte) (any, bool) {
	var v any
	if !utf8.Valid(text) || json.Unmarshal(text, &v) != nil {
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(text))
	var keys []map[string]bool // nil for an array
	isKey := []bool{}
	for {
		token, err := d.Token()
		if err != nil {
			return v, errors.Is(err, io.EOF)
		}
		top := len(keys) - 1
		switch token {
		case json.Delim('{'):
			keys, isKey = append(keys, map[string]bool{}), append(isKey, true)
			if len(keys) > jsonlogic.MaxDepth {
				return nil, false
			}
			continue
		case json.Delim('['):
			keys, isKey = append(keys, nil), append(isKey, false)
			if len(keys) > jsonlogic.MaxDepth {
				return nil, false
			}
			continue
		case json.Delim('}'), json.Delim(']'):
			keys, isKey = keys[:top], isKey[:top]
			if top--; top >= 0 && keys[top] != nil {
				isKey[top] = true
			}
			continue
		}
		if top < 0 || keys[top] == nil {
			continue
		}
		if key, ok := token.(string); ok && isKey[top] {
			if keys[top][key] {
				return nil, false
			}
			keys[top][key], isKey[top] = true, false
			continue
		}
		isKey[top] = true
	}
}

// Numbers are written as encoding/json and JavaScript write them, except that there is no -0.
func FuzzNumberText(f *testing.F) {
	for _, n := range []float64{0, 1, -1, 0.1, 1e21, 999999999999999900000, 1e-6, 1e-7, 5e-324, math.MaxFloat64, 1 << 53, 123.456} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, n float64) {
		got := jsonlogic.Number(n).String()
		want, err := json.Marshal(n + 0)
		if err != nil {
			want = []byte("null")
		}
		if n == 0 {
			want = []byte("0")
		}
		if got != string(want) {
			t.Errorf("%s, want %s", got, want)
		}
		if back, err := strconv.ParseFloat(got, 64); err == nil && back != n {
			t.Errorf("%s reads back as %v", got, back)
		}
	})
}

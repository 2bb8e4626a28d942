package flags_test

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// TestMerge has the examples of RFC 7396 whose target and patch are objects.
func TestMerge(t *testing.T) {
	for _, c := range []struct{ target, patch, want string }{
		{`{"a":"b"}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"b"}`, `{"b":"c"}`, `{"a":"b","b":"c"}`},
		{`{"a":"b"}`, `{"a":null}`, `{}`},
		{`{"a":"b","b":"c"}`, `{"a":null}`, `{"b":"c"}`},
		{`{"a":["b"]}`, `{"a":"c"}`, `{"a":"c"}`},
		{`{"a":"c"}`, `{"a":["b"]}`, `{"a":["b"]}`},
		{`{"a":{"b":"c"}}`, `{"a":{"b":"d","c":null}}`, `{"a":{"b":"d"}}`},
		{`{"a":[{"b":"c"}]}`, `{"a":[1]}`, `{"a":[1]}`},
		{`{"e":null}`, `{"a":1}`, `{"a":1,"e":null}`},
		{`{}`, `{"a":{"bb":{"ccc":null}}}`, `{"a":{"bb":{}}}`},
		{`{"a":1}`, `{"a":{"b":null,"c":2}}`, `{"a":{"c":2}}`},
		{`{"a":1,"b":2}`, `{"b":null,"c":{}}`, `{"a":1,"c":{}}`},
	} {
		d, err := flags.ParseDefinition([]byte(c.target))
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Merge([]byte(c.patch))
		if err != nil || got.String() != c.want || d.String() != c.target {
			t.Errorf("%s with %s: %s, %v, want %s", c.target, c.patch, got, err, c.want)
		}
	}
	for _, bad := range []string{`[]`, `null`, `1`, `{`, `{"a":1,"a":2}`, ``} {
		if _, err := (flags.Definition{}).Merge([]byte(bad)); !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("merged %q: %v", bad, err)
		}
	}
}

package textdiff_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/textdiff"
)

func TestLines(t *testing.T) {
	for _, tc := range []struct{ before, after, want string }{
		{``, `{"a":1}`, "+ {\n+   \"a\": 1\n+ }"},
		{`{"a":1}`, `null`, "- {\n-   \"a\": 1\n- }"},
		{`{"a":1}`, `{"a":1}`, ""},
		{`{"a":1,"b":2}`, `{"a":1,"b":3}`, "  {\n    \"a\": 1,\n-   \"b\": 2\n+   \"b\": 3\n  }"},
		{`[1,2,3,4,5,6,7,8,9]`, `[1,2,3,4,5,6,7,8,0]`, "    6,\n    7,\n    8,\n-   9\n+   0\n  ]"},
		{`not json`, `{}`, "- not json\n+ {}"},
	} {
		before := []byte(tc.before)
		if tc.before == "" {
			before = nil
		}
		if got := strings.Join(textdiff.Lines(before, []byte(tc.after)), "\n"); got != tc.want {
			t.Errorf("%s to %s:\n%s\nwant\n%s", tc.before, tc.after, got, tc.want)
		}
	}
}

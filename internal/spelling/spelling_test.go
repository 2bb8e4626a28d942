package spelling_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/spelling"
)

func TestNearest(t *testing.T) {
	known := []string{"off", "on", "new-checkout", "new-checkouts", "paymentFailure", "paymentUnreachable", "x", strings.Repeat("n", 65)}
	for _, c := range []struct{ got, want string }{
		{"onn", "on"},
		{"of", "off"},
		{"OFF", "off"},
		{"new-chekout", "new-checkout"},
		{"nwe-checkout", "new-checkout"},
		{"new-checkoutss", "new-checkouts"},
		{"paymentfailrue", "paymentFailure"},
		{"maybe", ""},
		{"y", ""}, // one letter may have been any other
		{"", ""},
		{strings.Repeat("n", 64), ""}, // what is known is too long to be compared
		{strings.Repeat("n", 66), ""},
	} {
		got, ok := spelling.Nearest(c.got, known)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("Nearest(%q) = %q, %v; want %q", c.got, got, ok, c.want)
		}
	}
}

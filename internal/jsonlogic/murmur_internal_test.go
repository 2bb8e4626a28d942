package jsonlogic

import (
	"testing"

	"github.com/twmb/murmur3"
)

func FuzzMurmur(f *testing.F) {
	f.Add("", "")
	f.Add("flag", "tenant-42")
	f.Add("flags", "é-0-日")
	f.Fuzz(func(t *testing.T, a, b string) {
		for cut := range len(a) + 1 {
			var m murmur
			m = m.with(a[:cut])
			m = m.with(a[cut:])
			m = m.with(b)
			if got, want := m.sum(), murmur3.StringSum32(a+b); got != want {
				t.Fatalf("%q + %q + %q = %#x, want %#x", a[:cut], a[cut:], b, got, want)
			}
		}
	})
}

package flagdfile_test

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

// FuzzParse: whatever a file holds, it is refused as invalid, or it comes to
// entries that survive being written and read again in both formats.
func FuzzParse(f *testing.F) {
	f.Add([]byte(shopYAML), true)
	f.Add([]byte(shopJSON), false)
	for _, text := range []string{
		"flags:\n  f: {variants: {a: 1, \"b\": 0x1F}}\n", "flags: &a {x: *a}", "flags: {<<: {}}", "? [a]\n: b", "flags:\n- key: a\n- {key: a}\n",
		"flags: {f: {\"\\u0085\": \"\\x07\", ~: 1, 2001-01-01: 2, 'true': yes}}", "flags: {f: {a: |\n  x\n }}", "%YAML 1.1\n---\nflags: {}",
	} {
		f.Add([]byte(text), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		name := "f.json"
		if yaml {
			name = "f.yaml"
		}
		d, err := flagdfile.Parse(data, name)
		if err != nil {
			if !errors.Is(err, flags.ErrInvalid) {
				t.Fatalf("an error of its own kind: %v", err)
			}
			return
		}
		if err := d.Check(); err != nil && !errors.Is(err, flags.ErrInvalid) {
			t.Fatalf("an error of its own kind: %v", err)
		}
		want := d.Entries()
		for _, format := range []flagdfile.Format{flagdfile.JSON, flagdfile.YAML} {
			out, err := format.Format(want)
			if err != nil {
				t.Fatalf("%s: %v", format, err)
			}
			again, err := flagdfile.Parse(out, "f."+string(format))
			if err != nil {
				t.Fatalf("%s: %v\n%s", format, err, out)
			}
			if diff := flags.Diff(want, again.Entries(), true); diff != nil {
				t.Fatalf("%s: %v\n%s", format, diff, out)
			}
		}
	})
}

package flags_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

const plainFlag = `{"metadata":{"team":"shop"},"state":"ENABLED","variants":{"on":true}}`

// TestAbout: what is told comes back as it was, other metadata stays, and telling
// nothing leaves nothing behind.
func TestAbout(t *testing.T) {
	d, err := flags.ParseDefinition([]byte(plainFlag))
	if err != nil {
		t.Fatal(err)
	}
	about := flags.About{Description: "one page", Owner: "shop@example.com", Tags: []string{"web", "q3"}, Kind: "release", Permanent: true, Expires: "2026-03-01"}
	told := d.WithAbout(about)
	if got := told.About(); fmt.Sprint(got) != fmt.Sprint(about) {
		t.Errorf("got %+v, want %+v", got, about)
	}
	want := `{"expires":"2026-03-01","kind":"release","owner":"shop@example.com","permanent":true,"tags":"web,q3","team":"shop"}`
	if got := string(told.Field("metadata")); got != want {
		t.Errorf("metadata %s, want %s", got, want)
	}
	if got := told.WithAbout(flags.About{}).String(); got != plainFlag {
		t.Errorf("untold: %s", got)
	}
	if got := (flags.Definition{}).WithAbout(flags.About{}).String(); got != "{}" {
		t.Errorf("nothing told of nothing: %s", got)
	}
	for now, want := range map[string]bool{"2026-02-28T12:00:00Z": false, "2026-03-01T23:59:59Z": false, "2026-03-02T00:00:00Z": true, "2026-03-01T23:59:59-05:00": true} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := about.Expired(at); got != want {
			t.Errorf("at %s expired is %v", now, got)
		}
	}
	if (flags.About{}).Expired(time.Now()) {
		t.Error("a flag without a date has expired")
	}
}

// TestAboutFaults: what makes no sense is not written, and the place is named.
func TestAboutFaults(t *testing.T) {
	for metadata, want := range map[string]string{
		`{"kind":"relase"}`:                     `$.flags.f.metadata.kind: "relase" is no kind of flag; known: "release", "experiment", "ops", "permission"; did you mean "release"?`,
		`{"expires":"tomorrow"}`:                "no date",
		`{"expires":"2026-02-30"}`:              "no date",
		`{"owner":7}`:                           "owner is a string, this is a number",
		`{"permanent":"yes"}`:                   "permanent is true or false",
		`{"tags":"a\u202eb"}`:                   "direction of text",
		`{"owner":"a\u0007"}`:                   "control characters",
		`{"owner":"` + long(600) + `"}`:         "up to 512 bytes",
		`{"kind":"ops","expires":"2027-01-31"}`: "",
	} {
		bytes, err := flags.Canonical([]byte(`{"state":"ENABLED","variants":{"on":true},"metadata":` + metadata + `}`))
		if err != nil {
			t.Fatal(err)
		}
		err = flags.NewContents("s").CheckChanges(flags.OpCreate, []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: bytes}})
		if want == "" {
			if err != nil {
				t.Errorf("%s: %v", metadata, err)
			}
			continue
		}
		if !errors.Is(err, flags.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", metadata, err, want)
		}
	}
}

func long(n int) string { return strings.Repeat("x", n) }

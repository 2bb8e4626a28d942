package flags_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// What is refused when it is written is ignored where it is held already.
func TestMaxAge(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`1`: time.Second, `300`: 5 * time.Minute, `"300s"`: 5 * time.Minute, `"5m"`: 5 * time.Minute, `"1h30m"`: 90 * time.Minute,
		`3e2`: 5 * time.Minute, `31536000`: 365 * 24 * time.Hour, `"8760h"`: 365 * 24 * time.Hour,
		`0`: 0, `-1`: 0, `0.5`: 0, `1.5`: 0, `"1500ms"`: 0, `"0s"`: 0, `"-5m"`: 0, `"soon"`: 0, `""`: 0, `"300"`: 0, `true`: 0,
		`31536001`: 0, `"8761h"`: 0, `1e300`: 0, `"99999999999h"`: 0,
	} {
		v, err := flags.ParseValue([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		got, err := flags.ParseMaxAge(v)
		if got != want || (err == nil) != (want > 0) || err != nil && !errors.Is(err, flags.ErrInvalid) {
			t.Errorf("%s: %v, %v; want %v", text, got, err, want)
		}
		definition, err := flags.Canonical([]byte(`{"metadata":{"maxAge":` + text + `},"variants":{"a":1}}`))
		if err != nil {
			t.Fatal(err)
		}
		faults := faultsOf(t, contents(t).CheckChanges(flags.OpChange, []flags.Mutation{put(flags.FlagKey("f"), string(definition))}))
		if written := len(faults) == 0; written != (want > 0) {
			t.Errorf("%s: faults %v", text, faults)
		} else if !written && (!strings.HasPrefix(faults[0], `$.flags.f.metadata.maxAge: `) || !strings.Contains(faults[0], `want whole seconds`)) {
			t.Errorf("%s: %s", text, faults[0])
		}
		counted := flags.MaxAges(snapshotOf(t, putFlag("f", string(definition))))
		if len(counted) > 1 || counted[want] != 1 && want > 0 {
			t.Errorf("%s: counted %v", text, counted)
		}
	}
}

package router_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/flagcases"
)

// answered is an answer as every way of asking can give it. Value is JSON, "" where
// the caller's own default stands.
type answered struct{ value, variant, reason, code string }

// A way is one way to ask a router for a flag.
type way struct {
	name string
	ask  func(c flagcases.Case) answered
}

// The ways, in process first: the others are what they are compared with it for.
const (
	inProcess   = "in process"
	synced      = "flagd.sync.v1"
	grpcV2      = "evaluation.v2, gRPC"
	connectV2   = "evaluation.v2, Connect JSON"
	connectV1   = "evaluation.v1, Connect JSON"
	schemaV1    = "schema.v1, Connect JSON"
	ofrepSingle = "OFREP"
	ofrepBulk   = "OFREP bulk"
)

// A difference is a kind of answer for which a protocol has no words, and what it says.
// Nothing else may differ.
type difference struct {
	of   string
	ways []string
	when func(flagcases.Case) bool
	says func(r *conformance, c flagcases.Case, table answered) answered
}

var differences = []difference{
	{
		of:   "a question has no type: the value is sent as what it is, and the client judges",
		ways: []string{ofrepSingle, ofrepBulk},
		when: func(c flagcases.Case) bool { return c.Error == flags.ErrorTypeMismatch.String() },
		says: func(r *conformance, c flagcases.Case, _ answered) answered { return r.untyped(c) },
	},
	{
		of:   "an object is a Struct, which a list is not",
		ways: []string{grpcV2, connectV2, connectV1, schemaV1},
		when: func(c flagcases.Case) bool { return strings.HasPrefix(c.Value, "[") },
		says: func(*conformance, flagcases.Case, answered) answered {
			return answered{reason: flags.ReasonError.String(), code: flags.ErrorTypeMismatch.String()}
		},
	},
	{
		of:   "the empty key is the address of all flags",
		ways: []string{ofrepSingle},
		when: func(c flagcases.Case) bool { return c.Flag == "" },
		says: func(*conformance, flagcases.Case, answered) answered { return answered{reason: allFlags} },
	},
	{
		of:   "a flag that is not there is not in the list",
		ways: []string{ofrepBulk},
		when: func(c flagcases.Case) bool { return c.Error == flags.ErrorFlagNotFound.String() },
		says: func(*conformance, flagcases.Case, answered) answered { return answered{} },
	},
	{
		of:   "without a value there is no flag",
		ways: []string{connectV1, schemaV1},
		when: func(c flagcases.Case) bool { return c.Value == "" && c.Reason == flags.ReasonDefault.String() },
		says: func(*conformance, flagcases.Case, answered) answered {
			return answered{reason: flags.ReasonError.String(), code: flags.ErrorFlagNotFound.String()}
		},
	},
	{
		of:   "what is disabled is sent as the zero value",
		ways: []string{connectV1, schemaV1},
		when: func(c flagcases.Case) bool { return c.Reason == flags.ReasonDisabled.String() },
		says: func(_ *conformance, c flagcases.Case, table answered) answered {
			table.value = map[flagcases.Type]string{
				flagcases.Boolean: `false`, flagcases.Text: `""`, flagcases.Integer: `0`, flagcases.Float: `0`, flagcases.Object: `{}`,
			}[c.Type]
			return table
		},
	},
}

// TestEveryProtocolAnswersAlike: whoever asks, by whatever protocol, is told the same.
func TestEveryProtocolAnswersAlike(t *testing.T) {
	r := newConformance(t)
	used := make([]int, len(differences))
	for _, w := range r.ways() {
		t.Run(w.name, func(t *testing.T) {
			for _, c := range flagcases.All() {
				want := answered{canonical(t, c.Value), c.Variant, c.Reason, c.Error}
				for i, d := range differences {
					if slices.Contains(d.ways, w.name) && d.when(c) {
						used[i]++
						want = d.says(r, c, want)
					}
				}
				if got := w.ask(c); got != want {
					t.Errorf("%s: got %+v, want %+v", c.Name(), got, want)
				}
			}
		})
	}
	for i, d := range differences {
		if used[i] == 0 {
			t.Errorf("no answer differs by %q any more", d.of)
		}
	}
}

// TestEveryProtocolTellsTheMetadata: that of the set under that of the flag, and the revision.
func TestEveryProtocolTellsTheMetadata(t *testing.T) {
	r := newConformance(t)
	for _, c := range flagcases.Metadata {
		want := flags.FromValue(parsed(t, c.Want)).With(flags.String("holdfastRevision", r.token()))
		question := flagcases.Case{Flag: c.Flag, Type: flagcases.Boolean}
		for name, tell := range map[string]func(flagcases.Case) (flags.Value, bool){
			grpcV2: r.grpcMetadata, connectV2: r.connectMetadata, ofrepSingle: r.ofrepMetadata,
		} {
			got, ok := tell(question)
			if c.Flag == "nowhere" && name != ofrepSingle {
				if ok {
					t.Errorf("%s: an error has metadata: %s", name, got)
				}
			} else if !ok || !got.Equal(want.Value()) {
				t.Errorf("%s: %s: got %s, want %s", name, c.Flag, got, want.Value())
			}
		}
	}
}

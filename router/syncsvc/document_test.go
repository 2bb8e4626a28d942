package syncsvc_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/flagcases"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
)

func entry(kind flags.Kind, name, entity, text string) flags.Entry {
	return flags.Entry{Key: flags.EntryKey{Kind: kind, Name: name, Entity: entity}, Bytes: []byte(text), Revision: 1}
}

func TestDocument(t *testing.T) {
	flag := func(text string, more ...flags.Entry) []flags.Entry {
		return append(more, entry(flags.KindFlag, "f", "", text))
	}
	ada, bob := entry(flags.KindOverride, "f", "ada", `{"variant":"on"}`), entry(flags.KindOverride, "f", "bob", `{"variant":"off"}`)
	eve, beta := entry(flags.KindOverride, "f", "eve", `{"variant":"on"}`), entry(flags.KindEvaluator, "beta", "", `{"==":[{"var":"plan"},"pro"]}`)
	const broken = `{"state":"ENABLED","targeting":{"unreadable definition":[]},"variants":{"unreadable":false}}`
	const lookup = `{"if":[{"in":[{"var":"targetingKey"},["bob"]]},"off",{"in":[{"var":"targetingKey"},["ada","eve"]]},"on"`
	for _, tc := range []struct {
		name    string
		entries []flags.Entry
		want    string
	}{
		{"plain", flag(`{"variants":{"on":1.0},"defaultVariant":"on","description":"gone","x-overrides":{"ada":"on"},"metadata":{"team":"a","deep":{}}}`),
			`{"defaultVariant":"on","metadata":{"team":"a"},"state":"ENABLED","variants":{"on":1}}`},
		{"no default", flag(`{"variants":{"on":true},"defaultVariant":null,"targeting":{}}`), `{"state":"ENABLED","variants":{"on":true}}`},
		{"overrides alone", flag(`{"variants":{"off":false,"on":true},"defaultVariant":"off"}`, ada, bob, eve),
			`{"defaultVariant":"off","state":"ENABLED","targeting":` + lookup + `]},"variants":{"off":false,"on":true}}`},
		{"overrides around a rule", flag(`{"variants":{"off":false,"on":true},"targeting":{"if":[{"$ref":"beta"},"on",null]}}`, ada, bob, eve, beta),
			`{"state":"ENABLED","targeting":` + lookup + `,{"if":[{"==":[{"var":"plan"},"pro"]},"on",null]}]},"variants":{"off":false,"on":true}}`},
		{"overrides of what is off", flag(`{"state":"DISABLED","variants":{"on":true},"defaultVariant":"gone","targeting":{"nonsense":1}}`, ada),
			`{"state":"DISABLED","variants":{"on":true}}`},
		{"off and broken", flag(`{"state":"DISABLED"}`), `{"state":"DISABLED","variants":{"unreadable":false}}`},
		{"a default that is none", flag(`{"variants":{"on":true},"defaultVariant":"gone"}`), broken},
		{"torn", flag(`{"variants`), broken},
		{"too deep", flag(`{"variants":{"on":true},"targeting":` + strings.Repeat(`{"!":`, 60) + `1` + strings.Repeat(`}`, 60) + `}`), broken},
		{"an evaluator without a rule", flag(`{"variants":{"on":true},"targeting":{"$ref":"beta"}}`, entry(flags.KindEvaluator, "beta", "", `{}`)),
			`{"state":"ENABLED","targeting":{"if":[true,{}]},"variants":{"on":true}}`},
	} {
		const metadata = `"metadata":{"flagSetId":"default","holdfastRevision":"default@0.7~k7q2m9aa"}}`
		want := `{"flags":{"f":` + tc.want + `},` + metadata
		if got := string(syncsvc.Document(snapshotOf(tc.entries))); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", tc.name, got, want)
		}
	}
}

// TestSetMetadata: what the set says of itself stays, but for the revision.
func TestSetMetadata(t *testing.T) {
	s := snapshotOf([]flags.Entry{
		entry(flags.KindMetadata, "flagSetId", "", `"mine"`), entry(flags.KindMetadata, "holdfastRevision", "", `"forged"`), entry(flags.KindMetadata, "team", "", `"a"`),
	})
	want := `{"flags":{},"metadata":{"flagSetId":"mine","team":"a","holdfastRevision":"default@0.7~k7q2m9aa"}}`
	if got := string(syncsvc.Document(s)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestCasesServed asks the cases that every protocol is held to.
func TestCasesServed(t *testing.T) {
	doc, err := flags.ParseDocument([]byte(flagcases.Document), "cases")
	if err != nil {
		t.Fatal(err)
	}
	entries := doc.Entries()
	for key, text := range flagcases.Unchecked {
		entries = append(entries, entry(flags.KindFlag, key, "", text))
	}
	here := snapshotOf(entries)
	there := reparsed(t, here)
	for _, c := range flagcases.All() {
		ec := flags.EvaluationContext{}
		if c.Context != "" {
			object, err := flags.ParseValue([]byte(c.Context))
			if err != nil {
				t.Fatal(err)
			}
			ec = flags.FromValue(object)
		}
		want, got := answers(here.View(), c.Flag, ec)[string(c.Type)], answers(there.View(), c.Flag, ec)[string(c.Type)]
		if got != want {
			t.Errorf("%s: served %+v, here %+v", c.Name(), got, want)
		}
	}
}

// TestLargeSegment: written out in each of its flags it would come to more than any
// client takes, so that it is written once.
func TestLargeSegment(t *testing.T) {
	ids := make([]string, 2_000)
	for i := range ids {
		ids[i] = fmt.Sprintf(`"tenant-%d"`, i)
	}
	entries := []flags.Entry{entry(flags.KindEvaluator, "beta", "", `{"in":[{"var":"targetingKey"},[`+strings.Join(ids, ",")+`]]}`)}
	for i := range 200 {
		entries = append(entries, entry(flags.KindFlag, fmt.Sprint("flag ", i), "", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"$ref":"beta"},"on",null]}}`))
	}
	here := snapshotOf(entries)
	if n := len(syncsvc.Document(here)); n > 1<<20 {
		t.Errorf("the document has %d bytes", n)
	}
	there := reparsed(t, here)
	for _, entity := range []string{"tenant-7", "tenant-x"} {
		want, got := answers(here.View(), "flag 3", flags.Entity(entity)), answers(there.View(), "flag 3", flags.Entity(entity))
		if want["boolean"] != got["boolean"] {
			t.Errorf("%s: served %+v, here %+v", entity, got["boolean"], want["boolean"])
		}
	}
	// Used in a few flags only it is written out there again.
	var x syncsvc.Exporter
	few := snapshotOf(entries[198:]) // the evaluator is the last, sorted
	x.Document(here)
	x.Document(few)
	if got := x.Document(few); !bytes.Equal(got, syncsvc.Document(few)) || bytes.Contains(got, []byte("$ref")) {
		t.Errorf("references stay: %.300s", got)
	}
}

// TestReuse: what is kept of one set is used for the next only where it is the same.
func TestReuse(t *testing.T) {
	var x syncsvc.Exporter
	for seed := range uint64(100) {
		s := seeded(seed).world()
		for range 2 {
			if got, want := x.Document(s), syncsvc.Document(s); !bytes.Equal(got, want) {
				t.Fatalf("seed %d:\ngot  %s\nwant %s", seed, got, want)
			}
		}
	}
}

// BenchmarkDocument is what a toggle costs in a set of 10,000 flags, some with many overrides.
func BenchmarkDocument(b *testing.B) {
	var entries []flags.Entry
	for i := range 10_000 {
		entries = append(entries, entry(flags.KindFlag, fmt.Sprint("flag ", i), "", `{"defaultVariant":"off","state":"ENABLED","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]},"variants":{"off":false,"on":true}}`))
		entries = append(entries, entry(flags.KindOverride, "flag 7", fmt.Sprint("tenant-", i), `{"variant":"on"}`))
	}
	s := snapshotOf(entries)
	b.Run("whole", func(b *testing.B) {
		for b.Loop() {
			b.SetBytes(int64(len(syncsvc.Document(s))))
		}
	})
	b.Run("next", func(b *testing.B) {
		var x syncsvc.Exporter
		for b.Loop() {
			b.SetBytes(int64(len(x.Document(s))))
		}
	})
}

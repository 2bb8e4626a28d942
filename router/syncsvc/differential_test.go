package syncsvc_test

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/router/syncsvc"
)

// world is a set of random flags. Keys and evaluators are the same in all.
func (d dice) world() *flags.Snapshot {
	var entries []flags.Entry
	put := func(key flags.EntryKey, text string) {
		entries = append(entries, flags.Entry{Key: key, Bytes: []byte(text), Revision: 1})
	}
	for _, e := range [][2]string{
		{"beta", d.rule(3)}, {"ids", `["ada","pro",1,2.50]`}, {"args", `[` + d.rule(1) + `,"on","off"]`}, {"empty", d.pick(`{}`, `null`, `[]`)},
		{"nested", `{"!":{"$ref":"beta"}}`}, {"torn", `{"`},
	} {
		put(flags.EntryKey{Kind: flags.KindEvaluator, Name: e[0]}, e[1])
	}
	put(flags.EntryKey{Kind: flags.KindMetadata, Name: "team"}, `"checkout"`)
	for i := range 4 {
		key := fmt.Sprint("flag ", i)
		text := d.flag()
		if d.chance(30) {
			text = d.pick(`{`, `[]`, `7`, `{"variants":{"on":1},"variants":{}}`)
		}
		put(flags.FlagKey(key), text)
		if d.chance(2) {
			for _, entity := range entities {
				if d.chance(3) {
					put(flags.OverrideKey(key, entity), d.pick(`{"variant":`+d.variant()+`}`, `{"variant":"on"}`, `{"variant":"gone"}`, `{}`))
				}
			}
		}
	}
	put(flags.OverrideKey("no flag", "ada"), `{"variant":"on"}`)
	return snapshotOf(entries)
}

func snapshotOf(entries []flags.Entry) *flags.Snapshot {
	slices.SortFunc(entries, func(a, b flags.Entry) int { return a.Key.Compare(b.Key) })
	head := flags.Head{Set: "default", Lineage: "k7q2m9aa", Version: flags.Version{Revision: 7}, Count: len(entries)}
	return flags.NewSnapshot(&flags.Checkpoint{Head: head, Entries: entries})
}

// reparsed is what a provider holds that was served a set: the document, read by the
// reader of flag files as if it came from anywhere.
func reparsed(t testing.TB, s *flags.Snapshot) *flags.Snapshot {
	t.Helper()
	doc := syncsvc.Document(s)
	parsed, err := flagdfile.Parse(doc, "sync.json")
	if err != nil {
		t.Fatalf("the document is refused: %v\n%s", err, doc)
	}
	for _, e := range parsed.Entries() {
		if e.Key.Kind == flags.KindOverride {
			t.Fatalf("the document has %v: only this router knows what that is\n%s", e.Key, doc)
		}
	}
	return snapshotOf(parsed.Entries())
}

// told is all that an answer is.
type told struct {
	value, variant string
	reason         flags.Reason
	code           flags.ErrorCode
}

func answers(v flags.View, key string, ec flags.EvaluationContext) map[string]told {
	b, s := v.BoolDetails(key, ec, true), v.StringDetails(key, ec, "fallback")
	i, f, o := v.IntDetails(key, ec, -99), v.FloatDetails(key, ec, -9.5), v.ObjectDetails(key, ec, flags.StringValue("fallback"))
	return map[string]told{ // -0 is 0: JSON written by others has no other
		"boolean": {fmt.Sprint(b.Value), b.Variant, b.Reason, b.ErrorCode},
		"string":  {s.Value, s.Variant, s.Reason, s.ErrorCode},
		"integer": {fmt.Sprint(i.Value), i.Variant, i.Reason, i.ErrorCode},
		"float":   {fmt.Sprint(f.Value + 0), f.Variant, f.Reason, f.ErrorCode},
		"object":  {o.Value.String(), o.Variant, o.Reason, o.ErrorCode},
	}
}

// differ asks both sides the same. Value, variant, reason and error code are equal,
// all of them, as a flag with overrides is STATIC to nobody on either side.
func differ(t testing.TB, d dice, tally map[string]int) {
	t.Helper()
	here := d.world()
	there := reparsed(t, here)
	overridden := map[string]bool{}
	for e := range here.Entries() {
		overridden[e.Key.Name] = overridden[e.Key.Name] || e.Key.Kind == flags.KindOverride
	}
	for range 6 {
		text := d.context()
		object, err := flags.ParseValue([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		ec := flags.FromValue(object)
		for i := range 5 { // the last is not there
			key := fmt.Sprint("flag ", i)
			want, got := answers(here.View(), key, ec), answers(there.View(), key, ec)
			for kind, w := range want {
				tally[w.reason.String()+" "+w.code.String()]++
				if g := got[kind]; g != w {
					def, _ := here.Get(flags.FlagKey(key))
					t.Fatalf("%s of %q for %s:\nhere   %+v\nserved %+v\n%s\n%s", kind, key, text, w, g, def.Bytes, syncsvc.Document(here))
				}
				if w.reason == flags.ReasonStatic && overridden[key] {
					t.Fatalf("%q has overrides and is STATIC for %s", key, text)
				}
			}
		}
	}
}

// Whatever a set consists of, what is served of it answers as this process does.
func TestServedAnswersAreOurs(t *testing.T) {
	tally := map[string]int{}
	seeds := uint64(500)
	if os.Getenv("HOLDFAST_LONG") != "" {
		seeds = 50_000
	}
	for seed := range seeds {
		differ(t, seeded(seed), tally)
	}
	for _, kind := range []string{"STATIC ", "DEFAULT ", "TARGETING_MATCH ", "DISABLED ", "ERROR PARSE_ERROR", "ERROR GENERAL", "ERROR TYPE_MISMATCH", "ERROR FLAG_NOT_FOUND"} {
		if tally[kind] < 200 {
			t.Errorf("only %d answers were %s: the dice are loaded", tally[kind], kind)
		}
	}
	t.Log(tally)
}

func FuzzServedAnswersAreOurs(f *testing.F) {
	for i := range byte(8) {
		f.Add(slices.Repeat([]byte{i, 7 * i, 3, 31 * i}, 40))
	}
	f.Fuzz(func(t *testing.T, data []byte) { differ(t, driven(data), map[string]int{}) })
}

package expression_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// volume is how many random conditions a test tries.
func volume() int {
	if os.Getenv("HOLDFAST_LONG") != "" {
		return 100_000
	}
	return 400
}

// document is a flag file with one flag of that targeting and the segments of the generator.
func document(t *testing.T, targeting []byte) string {
	t.Helper()
	var shared []string
	for name, s := range segments {
		rule, err := expression.CompileSegment(s.text)
		if err != nil {
			t.Fatal(err)
		}
		shared = append(shared, fmt.Sprintf("%q:%s", name, rule))
	}
	return fmt.Sprintf(`{"$evaluators":{%s},"flags":{%q:{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","targeting":%s}}}`,
		strings.Join(shared, ","), flagKey, targeting)
}

// written is what a strict writer makes of the targeting: a view to read it from.
func written(t *testing.T, targeting []byte) flags.View {
	t.Helper()
	doc, err := flags.ParseDocument([]byte(document(t, targeting)), "test")
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		t.Fatal(err)
	}
	set := flags.NewContents("test")
	commit := flags.Commit{ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: flags.Diff(nil, doc.Entries(), false)}
	if err := set.Seal(&commit); err != nil {
		t.Fatal(err)
	}
	snapshot, err := flags.NewSnapshot(set.Checkpoint()).Apply(commit)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot.View()
}

func entity(t *testing.T, a attributes) flags.EvaluationContext {
	t.Helper()
	m := map[string]any{}
	for name, v := range a {
		if name == "geo.country" {
			m["geo"] = map[string]any{"country": v}
			continue
		}
		m[name] = v
	}
	ec, err := flags.FromMap(m)
	if err != nil {
		t.Fatal(err)
	}
	return ec
}

// TestMeaning: random conditions are accepted by the strict writer, shown in a normal form that compiles to the same
// bytes, and evaluate to what an interpreter of our own says.
func TestMeaning(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(7, 11))}
	answers := map[bool]int{}
	for range volume() {
		c := m.condition(3)
		when := expression.Targeting{Rules: []expression.Rule{{When: c.text, Serve: expression.Serve{Variant: "on"}}}}
		rule, err := when.Compile()
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		shown, ok := expression.ShowTargeting(rule)
		if !ok || len(shown.Rules) != 1 {
			t.Fatalf("%s: %s is not shown", c.text, rule)
		}
		if normal, err := expression.Format(shown.Rules[0].When); err != nil || normal != shown.Rules[0].When {
			t.Fatalf("normal form of\n%s is\n%s, %v", shown.Rules[0].When, normal, err)
		}
		if again, err := shown.Compile(); err != nil || string(again) != string(rule) {
			t.Fatalf("%s: compiles to\n%s, shown as %s, which compiles to\n%s, %v", c.text, rule, shown, again, err)
		}
		if read, err := expression.ParseTargeting(shown.String()); err != nil || read.String() != shown.String() {
			t.Fatalf("%s: read as %s, %v", shown, read, err)
		}
		view := written(t, rule)
		for range 5 {
			a := m.context()
			want := c.holds(a)
			if got := view.BoolDetails(flagKey, entity(t, a), !want); got.Value != want || got.ErrorCode != flags.ErrorNone {
				t.Fatalf("%s\n%s\nof %v is %v, %v; want %v", c.text, rule, a, got.Value, got.ErrorCode, want)
			}
			answers[want]++
		}
	}
	if least := volume(); answers[true] < least || answers[false] < least {
		t.Errorf("the conditions decide nothing: %v", answers)
	}
}

// TestPercent: shares are as large as they say, grow without moving anybody, and go by a hash of their own with a seed.
func TestPercent(t *testing.T) {
	in := func(text string) map[int]bool {
		rule, err := expression.Targeting{Rules: []expression.Rule{{When: text, Serve: expression.Serve{Variant: "on"}}}}.Compile()
		if err != nil {
			t.Fatal(err)
		}
		view, found := written(t, rule), map[int]bool{}
		for i := range 4000 {
			if view.Bool(flagKey, flags.Entity(fmt.Sprint("tenant-", i)), false) {
				found[i] = true
			}
		}
		return found
	}
	both := func(a, b map[int]bool) (n int) {
		for i := range a {
			if b[i] {
				n++
			}
		}
		return n
	}
	some, more, other := in(`percent(25)`), in(`percent(40)`), in(`percent(25, seed: "b")`)
	if n := len(some); n < 900 || n > 1100 {
		t.Errorf("percent(25) is %d of 4000", n)
	}
	if both(some, more) != len(some) {
		t.Error("raising a percentage moved somebody out")
	}
	if n := both(some, other); n < 180 || n > 320 {
		t.Errorf("%d are in both; two independent quarters share about 250", n)
	}
	rollout := written(t, []byte(`{"fractional":[["on",25],["off",75]]}`))
	for i := range 4000 {
		if rollout.Bool(flagKey, flags.Entity(fmt.Sprint("tenant-", i)), false) != some[i] {
			t.Fatalf("tenant-%d: a rollout of on=25 and percent(25) differ", i)
		}
	}
}

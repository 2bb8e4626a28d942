package vendorformat_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

// question is what a flag answers to a context, by the other product's documents.
type question struct{ flag, context, want string }

// codeDefault is the answer of a flag that leaves it to the code.
const codeDefault = "null"

func read(t *testing.T, format, text string, o vendorformat.Options) vendorformat.Import {
	t.Helper()
	if o.Name == "" {
		o.Name = "export"
	}
	got, err := vendorformat.Read(format, []byte(text), o)
	var loss *vendorformat.LossError
	if errors.As(err, &loss) {
		t.Fatalf("%v: %v", err, loss.Lost)
	}
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// viewOf is what an application would read, once the import is written.
func viewOf(t *testing.T, got vendorformat.Import) flags.View {
	t.Helper()
	if err := got.Document.Check(); err != nil {
		t.Fatal(err)
	}
	set := flags.NewContents("imported")
	commit := flags.Commit{ID: flags.NewCommitID(), Op: flags.OpCreate, Changes: flags.Diff(nil, got.Document.Entries(), false)}
	if err := set.Seal(&commit); err != nil {
		t.Fatal(err)
	}
	if err := set.Apply(&commit); err != nil {
		t.Fatal(err)
	}
	return flags.NewSnapshot(set.Checkpoint()).View()
}

func answer(t *testing.T, view flags.View, flag string, context map[string]any) string {
	t.Helper()
	ec, err := flags.FromMap(context)
	if err != nil {
		t.Fatal(err)
	}
	d := view.ValueDetails(flag, ec, flags.Value{})
	if d.ErrorCode != flags.ErrorNone {
		return d.ErrorCode.String() + " " + d.ErrorMessage()
	}
	return string(d.Value.AppendJSON(nil))
}

func ask(t *testing.T, view flags.View, questions []question) {
	t.Helper()
	for _, q := range questions {
		context := map[string]any{}
		if err := json.Unmarshal([]byte("{"+q.context+"}"), &context); err != nil {
			t.Fatalf("%s: %v", q.context, err)
		}
		if got := answer(t, view, q.flag, context); got != q.want {
			t.Errorf("%s for {%s}: %s, want %s", q.flag, q.context, got, q.want)
		}
	}
}

// wantShares asks 10,000 keys: each value gets its part, give or take 2 of 100.
func wantShares(t *testing.T, view flags.View, flag string, context map[string]any, key string, want map[string]float64) {
	t.Helper()
	const keys = 10_000
	count := map[string]int{}
	for i := range keys {
		context[key] = fmt.Sprintf("user-%d", i)
		count[answer(t, view, flag, context)]++
	}
	for value, percent := range want {
		if got := float64(count[value]) * 100 / keys; math.Abs(got-percent) > 2 {
			t.Errorf("%s: %s for %.1f %%, want %.1f", flag, value, got, percent)
		}
		delete(count, value)
	}
	if len(count) > 0 {
		t.Errorf("%s: values that nobody asked for: %v", flag, count)
	}
}

// wantNotes asks for notes of a flag at a place whose texts have a part.
func wantNotes(t *testing.T, notes []vendorformat.Note, want ...vendorformat.Note) {
	t.Helper()
	for _, w := range want {
		if !slices.ContainsFunc(notes, func(n vendorformat.Note) bool {
			return n.Flag == w.Flag && n.Place == w.Place && n.Lost == w.Lost && strings.Contains(n.Text, w.Text)
		}) {
			t.Errorf("no note %+v", w)
		}
	}
	if t.Failed() {
		for _, n := range notes {
			t.Logf("%+v", n)
		}
	}
}

// lossOf reads what must not be readable without Lossy, and returns what is lost,
// and the import that goes on.
func lossOf(t *testing.T, format, text string) ([]vendorformat.Note, vendorformat.Import) {
	t.Helper()
	_, err := vendorformat.Read(format, []byte(text), vendorformat.Options{Name: "export"})
	var loss *vendorformat.LossError
	if !errors.As(err, &loss) || !errors.Is(err, flags.ErrInvalid) {
		t.Fatalf("want a loss, got %v", err)
	}
	return loss.Lost, read(t, format, text, vendorformat.Options{Lossy: true})
}

// badFile is one that is not of its format, with what must be said of it.
type badFile struct{ text, want string }

func refuse(t *testing.T, format string, files []badFile) {
	t.Helper()
	for _, f := range files {
		_, err := vendorformat.Read(format, []byte(f.text), vendorformat.Options{Name: "export"})
		if !errors.Is(err, flags.ErrInvalid) || !strings.Contains(err.Error(), f.want) {
			t.Errorf("%.80s\ngot  %v\nwant %s", f.text, err, f.want)
		}
	}
}

// fuzz holds a reader to its promise: whatever the bytes, an error of one kind, or a
// document that can be checked, exported and noted.
func fuzz(f *testing.F, format string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		name := "f.json"
		if yaml {
			name = "f.yaml"
		}
		got, err := vendorformat.Read(format, data, vendorformat.Options{Name: name, Lossy: true})
		if err != nil {
			if !errors.Is(err, flags.ErrInvalid) {
				t.Fatalf("an error of its own kind: %v", err)
			}
			return
		}
		if err := got.Document.Check(); err != nil && !errors.Is(err, flags.ErrInvalid) {
			t.Fatalf("an error of its own kind: %v", err)
		}
		if _, err := flags.Export(got.Document.Entries()); err != nil {
			t.Fatal(err)
		}
		_, strict := vendorformat.Read(format, data, vendorformat.Options{Name: name})
		lost := slices.ContainsFunc(got.Notes, func(n vendorformat.Note) bool { return n.Lost })
		var loss *vendorformat.LossError
		if lost != errors.As(strict, &loss) {
			t.Fatalf("lost %v, but without Lossy: %v", lost, strict)
		}
	})
}

func TestUnknownFormat(t *testing.T) {
	_, err := vendorformat.Read("flagsmith", nil, vendorformat.Options{})
	if !errors.Is(err, vendorformat.ErrUnknownFormat) || !strings.Contains(err.Error(), "launchdarkly") {
		t.Errorf("got %v", err)
	}
}

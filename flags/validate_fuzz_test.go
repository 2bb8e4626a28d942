package flags_test

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// FuzzCheckChanges: no bytes make the check panic, and what it accepts is no
// broken flag for whoever reads it, can be exported, and imported again.
func FuzzCheckChanges(f *testing.F) {
	f.Add([]byte(goodFlag), []byte(`{"variant":"on"}`), []byte(`{"var":"a"}`))
	for _, rule := range []string{
		`{"if":[{"$ref":"beta"},"on",{"fractional":[["on",1],["off",2]]}]}`, `{"fractional":[]}`, `{"and":{"$ref":"beta"}}`, `{"$ref":1}`,
		`{"var":[]}`, `{"if":[]}`, `{"in":{"a":1,"b":2}}`, `{"map":[[{}],{"missing_some":[1,["a"]]}]}`, `[[[]]]`, `{"sem_ver":["1",[],2]}`,
	} {
		f.Add([]byte(onOff(rule)), []byte(`{}`), []byte(`[1,2]`))
	}
	f.Fuzz(func(t *testing.T, flag, override, evaluator []byte) {
		set := contents(t, put(flags.FlagKey("user"), onOff(`{"if":[{"$ref":"beta"},"on"]}`)), put(evaluatorKey("beta"), `true`))
		changes := []flags.Mutation{
			{Key: flags.FlagKey("f"), Bytes: flag}, {Key: flags.OverrideKey("f", "e"), Bytes: override}, {Key: evaluatorKey("beta"), Bytes: evaluator},
		}
		if err := set.CheckChanges(flags.OpChange, changes); err != nil {
			if !errors.Is(err, flags.ErrInvalid) {
				t.Fatalf("an error of its own kind: %v", err)
			}
			return
		}
		commit(t, set, flags.OpChange, changes...)
		entries := set.Checkpoint().Entries
		out, err := flags.Export(entries)
		if err != nil {
			t.Fatal(err)
		}
		d, err := flags.ParseDocument(out, "")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := flags.Diff(entries, d.Entries(), true); diff != nil {
			t.Fatalf("%v\n%s", diff, out)
		}
		if err := d.Check(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		view := flags.NewSnapshot(set.Checkpoint()).View()
		for _, key := range []string{"f", "user"} {
			if got := view.ValueDetails(key, flags.Entity("somebody"), flags.Value{}); got.ErrorCode == flags.ErrorParse {
				t.Fatalf("%s: accepted, and broken: %s\n%s", key, got.ErrorMessage(), out)
			}
		}
	})
}

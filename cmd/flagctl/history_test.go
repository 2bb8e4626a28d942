package main

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestHistoryAfterCompaction: what is kept is shown, and nothing is claimed about
// what is not: a flag that was there before is not shown as created.
func TestHistoryAfterCompaction(t *testing.T) {
	for _, keep := range []int{1000, 8} {
		st := memstore.New(&memstore.Options{KeepCommits: keep})
		defer st.Close()
		flag := func(on bool) []flags.Mutation {
			d, err := (&newFlag{kind: "boolean", defaultVariant: map[bool]string{true: "on", false: "off"}[on]}).definition()
			if err != nil {
				t.Fatal(err)
			}
			return []flags.Mutation{{Key: flags.FlagKey("checkout"), Bytes: d.Bytes()}}
		}
		const commits = 100
		for i := range commits {
			c := flags.Commit{Set: "default", ID: flags.NewCommitID(), Changes: flag(i%2 == 0)}
			if i == 0 {
				c.Op = flags.OpCreate
			}
			if _, err := st.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		var notes bytes.Buffer
		a := &app{set: "default", std: stdio{err: &notes}}
		views, err := a.history(t.Context(), st, "checkout", 0)
		if err != nil {
			t.Fatal(err)
		}
		if newest := views[0].Changes[0].Summary; newest != "checkout: default on -> off" {
			t.Errorf("keep %d: newest is %q", keep, newest)
		}
		oldest := views[len(views)-1]
		if keep > commits {
			if len(views) != commits || oldest.Changes[0].Summary != `flag "checkout" created` || notes.Len() > 0 {
				t.Errorf("whole: %d commits, oldest %q, notes %q", len(views), oldest.Changes[0].Summary, &notes)
			}
			continue
		}
		first, _ := flags.ParseToken(oldest.Token)
		if len(views) < keep || len(views) == commits || !strings.Contains(oldest.Changes[0].Summary, "no longer kept") {
			t.Errorf("compacted: %d commits, oldest %q", len(views), oldest.Changes[0].Summary)
		}
		if want := fmt.Sprintf("commits before %s are no longer kept\n", first.Version); notes.String() != want {
			t.Errorf("notes %q, want %q", &notes, want)
		}
	}
}

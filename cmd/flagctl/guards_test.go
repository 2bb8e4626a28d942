//go:build unix

package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

// desk is where somebody works on the flag checkout of a set on disk.
type desk struct {
	*testing.T
	app  *app
	path string
	out  bytes.Buffer
}

func newDesk(t *testing.T) *desk {
	d := &desk{T: t, path: filepath.Join(t.TempDir(), "db")}
	d.app = &app{set: "default", storeAt: "bolt:" + d.path, timeout: time.Minute, output: "json"}
	d.app.std = stdio{in: strings.NewReader(""), out: &d.out, err: &d.out, getenv: func(string) string { return "" }}
	d.apply(flags.Commit{Op: flags.OpCreate})
	d.write("off", true)
	return d
}

// in opens the store for as long as f takes: it is of one process at a time.
func (d *desk) in(f func(st *boltstore.Store) error) {
	d.Helper()
	st, err := boltstore.Open(d.path, nil)
	if err == nil {
		err = errors.Join(f(st), st.Close())
	}
	if err != nil {
		d.Fatal(err)
	}
}

func (d *desk) apply(c flags.Commit) {
	d.Helper()
	c.Set, c.ID = "default", flags.NewCommitID()
	d.in(func(st *boltstore.Store) error {
		_, err := st.Apply(d.Context(), c)
		return err
	})
}

func (d *desk) write(byDefault string, enabled bool) {
	d.Helper()
	state := map[bool]string{true: "ENABLED", false: "DISABLED"}[enabled]
	def := `{"defaultVariant":"` + byDefault + `","state":"` + state + `","variants":{"off":false,"on":true}}`
	d.apply(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("checkout"), Bytes: []byte(def)}}})
}

// journal returns all commits, and the flag as it is.
func (d *desk) journal() (commits []flags.Commit, now string) {
	d.Helper()
	d.in(func(st *boltstore.Store) error {
		err := store.EachCommit(d.Context(), st, "default", flags.Version{}, flags.Version{Epoch: 1}, func(c *flags.Commit) { commits = append(commits, *c) })
		u, fetched := st.Fetch(d.Context(), "default", flags.Head{})
		c, assembled := store.Assemble("default", u)
		if c != nil {
			e, _ := c.Get(flags.FlagKey("checkout"))
			now = string(e.Bytes)
		}
		return errors.Join(err, fetched, assembled)
	})
	return commits, now
}

func (d *desk) run(cmd *cobra.Command, args ...string) error {
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	return cmd.ExecuteContext(d.Context())
}

// edit runs the editor, a shell command, on the flag; meanwhile is what others do then.
func (d *desk) edit(editor string, meanwhile func()) error {
	d.app.std.getenv = func(name string) string {
		if name != "VISUAL" {
			return ""
		}
		meanwhile()
		return editor
	}
	return d.run(d.app.editCmd(), "checkout")
}

// TestEditSeesOthers: what somebody else writes while the editor is open is not lost, and
// neither is the draft. The twin, which does not look, overwrites it.
func TestEditSeesOthers(t *testing.T) {
	for _, blind := range []bool{false, true} {
		d := newDesk(t)
		t.Setenv("TMPDIR", t.TempDir())
		d.app.sabotage.blind = blind
		err := d.edit(`sed -i 's/defaultVariant:.*/defaultVariant: "on"/'`, func() { d.write("off", false) })
		commits, now := d.journal()
		theirs := strings.Contains(now, "DISABLED")
		switch {
		case blind:
			if err != nil || theirs {
				t.Errorf("the twin lost nothing: %v, %s", err, now)
			}
		case err == nil || codeOf(err) != exitConflict || !theirs || len(commits) != 3:
			t.Errorf("%v, %s after %d commits", err, now, len(commits))
		default:
			wantDraft(t, `defaultVariant: "on"`, true)
		}
	}
}

// TestEditKeepsWork: what was saved with faults, and then given up, is kept. The twin loses it.
func TestEditKeepsWork(t *testing.T) {
	for _, forgetful := range []bool{false, true} {
		d := newDesk(t)
		t.Setenv("TMPDIR", t.TempDir())
		d.app.sabotage.forgetful = forgetful
		err := d.edit(`sh -c 'grep -q "NOT WRITTEN" "$0" || sed -i s/defaultVariant:.*/defaultVariant:\ hours_of_work/ "$0"'`, func() {})
		if commits, _ := d.journal(); err == nil || codeOf(err) != exitFailed || len(commits) != 2 {
			t.Errorf("%v after %d commits", err, len(commits))
		}
		wantDraft(t, "hours_of_work", !forgetful)
	}
}

func codeOf(err error) int {
	code, _ := classify(err)
	return code
}

// wantDraft looks for a text in what is left in the folder of drafts.
func wantDraft(t *testing.T, text string, want bool) {
	t.Helper()
	drafts, err := filepath.Glob(filepath.Join(os.TempDir(), "flagctl-*", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, path := range drafts {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found = found || strings.Contains(string(data), text)
	}
	if found != want {
		t.Errorf("a draft with %q among %q: %v", text, drafts, found)
	}
}

// TestRollbackIsOneCommit: a rollback adds one commit and takes none away; on condition of a
// revision that is not there any more it is a conflict. The twin, which does not look,
// undoes what nobody meant.
func TestRollbackIsOneCommit(t *testing.T) {
	for _, blind := range []bool{false, true} {
		d := newDesk(t) // at revision 2
		d.app.sabotage.blind = blind
		d.write("on", true)
		before, _ := d.journal()
		d.write("on", false) // by somebody else
		err := d.run(d.app.rollbackCmd(), "2", "--if-revision", "3")
		after, now := d.journal()
		if !blind {
			if err == nil || codeOf(err) != exitConflict || len(after) != 4 || !strings.Contains(now, "DISABLED") {
				t.Errorf("%v, %s after %d commits", err, now, len(after))
			}
			err = d.run(d.app.rollbackCmd(), "2", "--if-revision", "4")
			after, now = d.journal()
		}
		if err != nil || len(after) != 5 || !strings.Contains(now, `"off","state":"ENABLED"`) {
			t.Errorf("blind %v: %v, %s after %d commits", blind, err, now, len(after))
		}
		for i, c := range before {
			if after[i].Digest != c.Digest || after[i].ID != c.ID {
				t.Errorf("commit %s is another now", c.Version)
			}
		}
	}
}

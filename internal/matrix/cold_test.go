package matrix_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
	"github.com/holdfast-flags/holdfast/store/filestore"
)

// keep leaves a last-known-good file with so many flags in a new directory, as a
// process does that ends.
func keep(t *testing.T, n int) (dir string, head flags.Head) {
	t.Helper()
	dir = t.TempDir()
	contents := flags.NewContents(rig.Set)
	c := flags.Commit{Set: rig.Set, Op: flags.OpCreate}
	for i := range n {
		c.Changes = append(c.Changes, flags.Mutation{
			Key: flags.FlagKey(fmt.Sprint("kept-", i)), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`),
		})
	}
	if err := errors.Join(contents.Seal(&c), contents.Apply(&c)); err != nil {
		t.Fatal(err)
	}
	file := filestore.NewLastKnownGood(filepath.Join(dir, "flags.lkg"), rig.Set, nil)
	if err := file.Put(t.Context(), flags.Update{Head: contents.Head()}, contents.Checkpoint); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, contents.Head()
}

// down takes away everything that is not in this process.
func down(h *rig.House, f rig.Fault) {
	h.Cache.Set(f)
	h.Primary.Set(f)
	h.Secondary.Set(f)
}

var deaths = map[string]rig.Fault{"refused": rig.Refused, "hanging": rig.Hanging}

// TestColdStartFromDisk: with a file, a process that starts while all else is dead
// answers from it, at once, and says how old that is. (How long it takes to read
// the file is for the benchmark to say: here the clock stands still meanwhile.)
func TestColdStartFromDisk(t *testing.T) {
	for name, fault := range deaths {
		t.Run(name, func(t *testing.T) {
			dir, head := keep(t, 10_000)
			synctest.Test(t, func(t *testing.T) {
				h := rig.New(t, rig.Options{})
				down(h, fault)
				c := h.Client(rig.ClientOptions{Dir: dir, Lenient: true})
				d := c.BoolDetails(t.Context(), "kept-9999", flags.Entity("x"), false)
				if !d.Value || d.Layer() != "disk" || d.Freshness != flags.FreshnessStale || d.Token() != head.Token() {
					t.Errorf("%v from %s, %s, %s", d.Value, d.Layer(), d.Freshness, d.Token())
				}
				if c.StartTook > 0 {
					t.Errorf("New waited %v for others", c.StartTook)
				}
			})
			matrix.Tally(t, "F17", 1, 0)
		})
	}
}

// TestColdStartFromNothing: without one, it gives defaults as soon as it has given
// the layers their chance, and says what they were short of.
func TestColdStartFromNothing(t *testing.T) {
	for name, fault := range deaths {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := rig.New(t, rig.Options{})
				down(h, fault)
				c := h.Client(rig.ClientOptions{Dir: t.TempDir(), Lenient: true})
				if c.StartTook > 1600*time.Millisecond {
					t.Errorf("New took %v", c.StartTook)
				}
				d := c.BoolDetails(t.Context(), "kept-9999", flags.Entity("x"), true)
				if !d.Value || d.ErrorCode != flags.ErrorProviderNotReady {
					t.Errorf("%v, error code %q", d.Value, d.ErrorCode)
				}
				now, cancel := context.WithCancel(t.Context())
				cancel()
				if err := c.WaitReady(now); err == nil {
					t.Error("ready")
				}
				rig.Wait(5 * time.Second) // each layer has been asked by then
				for _, l := range c.Status().Layers {
					if l.LastError == "" {
						t.Errorf("%s says nothing of what is wrong", l.Name)
					}
				}
			})
			matrix.Tally(t, "F18", 1, 0)
		})
	}
}

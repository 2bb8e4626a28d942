package filestore

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	// As editors and deployments do: a new file put in the place of the old one.
	if err := os.WriteFile(path+".new", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

func flagFile(on string) string {
	return `{"flags":{"checkout":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"` + on + `"}}}`
}

func TestFlagdFollowsTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFile(t, path, flagFile("off"))
	synctest.Test(t, func(t *testing.T) {
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
		defer f.Close()
		head, err := f.Head(t.Context(), "default")
		if err != nil || head.Version != (flags.Version{Epoch: 0, Revision: 1}) || head.Count != 1 {
			t.Fatalf("head %+v, %v", head, err)
		}
		stream, err := f.Watch(t.Context(), "default", head)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		writeFile(t, path, flagFile("on"))
		var got []flags.Commit
		for len(got) == 0 {
			ev, err := stream.Next()
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, ev.Commits...)
		}
		if len(got) != 1 || got[0].Revision != 2 || !strings.Contains(string(got[0].Changes[0].Bytes), `"defaultVariant":"on"`) {
			t.Errorf("got %+v", got)
		}
	})
}

func TestFlagdKeepsTheLastGoodContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFile(t, path, flagFile("off"))
	synctest.Test(t, func(t *testing.T) {
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
		defer f.Close()
		good, err := f.Head(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{`{"flags":`, flagFile("maybe"), ``} {
			writeFile(t, path, bad)
			time.Sleep(time.Second)
			synctest.Wait()
			if head, err := f.Head(t.Context(), "default"); err != nil || head != good || f.Fault() == nil {
				t.Errorf("after %q: head %v, %v, fault %v", bad, head, err, f.Fault())
			}
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if head, err := f.Head(t.Context(), "default"); err != nil || head != good {
			t.Errorf("file gone: head %v, %v", head, err)
		}
		writeFile(t, path, flagFile("on"))
		time.Sleep(time.Second)
		synctest.Wait()
		if head, err := f.Head(t.Context(), "default"); err != nil || head.Revision != 2 || f.Fault() != nil {
			t.Errorf("mended: head %v, %v, fault %v", head, err, f.Fault())
		}
	})
}

// TestFlagdSeesAnEditWithinOneTick: a second edit that leaves size, inode and time
// of change as they were is seen; where any fingerprint is believed, it is not.
func TestFlagdSeesAnEditWithinOneTick(t *testing.T) {
	for _, hasty := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "flags.json")
		synctest.Test(t, func(t *testing.T) {
			tick := time.Now()
			edit := func(text string) {
				t.Helper()
				if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, tick, tick)); err != nil {
					t.Fatal(err)
				}
			}
			edit(flagFile("on") + " ")
			f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet, hasty: hasty})
			defer f.Close()
			edit(flagFile("off"))
			time.Sleep(time.Minute)
			synctest.Wait()
			head, err := f.Head(t.Context(), "default")
			if err != nil {
				t.Fatal(err)
			}
			if seen := head.Revision == 2; seen == hasty {
				t.Errorf("hasty %v: edit seen: %v", hasty, seen)
			}
		})
	}
}

func TestFlagdForgetsAFaultOnceTheFileIsBack(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFile(t, path, flagFile("off"))
	synctest.Test(t, func(t *testing.T) {
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
		defer f.Close()
		for _, step := range []struct {
			from, to string
			fault    bool
		}{{path, path + ".away", true}, {path + ".away", path, false}} {
			if err := os.Rename(step.from, step.to); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if err := f.Fault(); (err != nil) != step.fault {
				t.Errorf("moved to %s: fault %v", filepath.Base(step.to), err)
			}
		}
	})
}

func TestFlagdWithoutAFileIsTransient(t *testing.T) {
	f := OpenFlagd(filepath.Join(t.TempDir(), "absent.json"), "default", &FlagdOptions{Logger: quiet})
	defer f.Close()
	_, err := f.Head(t.Context(), "default")
	if !errors.Is(err, os.ErrNotExist) || flags.ClassOf(err) != flags.ClassTransient {
		t.Errorf("error %v of class %v", err, flags.ClassOf(err))
	}
	if _, err := f.Apply(t.Context(), flags.Commit{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("apply: %v", err)
	}
}

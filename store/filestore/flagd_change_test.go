package filestore

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// revisionAfter waits and returns the revision that is served then.
func revisionAfter(t *testing.T, f *Flagd, d time.Duration) uint64 {
	t.Helper()
	time.Sleep(d)
	synctest.Wait()
	head, err := f.Head(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	return head.Revision
}

// TestFlagdConfigMap: a mounted ConfigMap is a link to a link to a directory, of
// which the one in the middle is swapped.
func TestFlagdConfigMap(t *testing.T) {
	dir := t.TempDir()
	mount := func(version, text string) {
		t.Helper()
		data, next := filepath.Join(dir, version), filepath.Join(dir, "..data_tmp")
		if err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "flags.json"), []byte(text), 0o600),
			os.Symlink(version, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	mount("..2026_01", flagFile("off"))
	path := filepath.Join(dir, "flags.json")
	if err := os.Symlink(filepath.Join("..data", "flags.json"), path); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
		defer f.Close()
		mount("..2026_02", flagFile("on"))
		if r := revisionAfter(t, f, time.Second); r != 2 {
			t.Errorf("revision %d after the swap", r)
		}
		if err := os.RemoveAll(filepath.Join(dir, "..2026_01")); err != nil {
			t.Fatal(err)
		}
		if r := revisionAfter(t, f, time.Minute); r != 2 || f.Fault() != nil {
			t.Errorf("revision %d, fault %v once the old one is gone", r, f.Fault())
		}
	})
}

// TestFlagdSaysOnceWhatIsWrong: garbage is told in one line, however often it is
// looked at, and so is its end.
func TestFlagdSaysOnceWhatIsWrong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFile(t, path, flagFile("off"))
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		writeFile(t, path, "\x00\xff garbage")
		if r := revisionAfter(t, f, time.Minute); r != 1 {
			t.Errorf("revision %d", r)
		}
		writeFile(t, path, flagFile("on"))
		if r := revisionAfter(t, f, time.Minute); r != 2 {
			t.Errorf("revision %d", r)
		}
		f.Close()
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "level=ERROR") || !strings.Contains(lines[0], path) || !strings.Contains(lines[1], "taken over again") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// TestFlagdDoubtsWhatLooksTheSame: an edit that keeps size, inode and time, as some
// copying tools and file servers make it, is seen after a while; not where fingerprints
// are believed for ever.
func TestFlagdDoubtsWhatLooksTheSame(t *testing.T) {
	for _, hasty := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "flags.json")
		synctest.Test(t, func(t *testing.T) {
			old := time.Now().Add(-time.Hour)
			edit := func(text string) {
				t.Helper()
				if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, old, old)); err != nil {
					t.Fatal(err)
				}
			}
			edit(flagFile("on") + " ")
			f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet, hasty: hasty})
			defer f.Close()
			if r := revisionAfter(t, f, 5*time.Second); r != 1 {
				t.Fatalf("revision %d", r)
			}
			edit(flagFile("off"))
			if seen := revisionAfter(t, f, doubted+time.Second) == 2; seen == hasty {
				t.Errorf("hasty %v: edit seen: %v", hasty, seen)
			}
		})
	}
}

// TestFlagdWaitsForTheWriter: the first half of a YAML file is a YAML file. While it is
// written where it stands, nothing is taken.
func TestFlagdWaitsForTheWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.yaml")
	flag := func(name string) string {
		return "  " + name + ": {state: ENABLED, variants: {\"on\": true, \"off\": false}, defaultVariant: \"off\"}\n"
	}
	text := "flags:\n" + flag("a") + flag("b") + flag("c") + flag("d")
	writeFile(t, path, text)
	synctest.Test(t, func(t *testing.T) {
		f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
		defer f.Close()
		text = strings.ReplaceAll(text, `defaultVariant: "off"`, `defaultVariant: "on"`)
		end := len("flags:\n")
		for n := range 4 { // a line every 200 ms
			end += strings.Index(text[end:], "\n") + 1
			at := time.Now().Add(time.Duration(n) * time.Second)
			if err := errors.Join(os.WriteFile(path, []byte(text[:end]), 0o600), os.Chtimes(path, at, at)); err != nil {
				t.Fatal(err)
			}
			if r := revisionAfter(t, f, 200*time.Millisecond); r != 1 {
				t.Errorf("revision %d after %d lines", r, n+1)
			}
		}
		if r := revisionAfter(t, f, time.Second); r != 2 {
			t.Errorf("revision %d in the end", r)
		}
		if u, err := f.Fetch(t.Context(), "default", flags.Head{}); err != nil || u.Head.Count != 4 {
			t.Errorf("%d flags, %v", u.Head.Count, err)
		}
	})
}

// A file that takes its time to be read, on a network mount say, holds nobody up.
func TestFlagdServesWhileItReads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFile(t, path, flagFile("on"))
	f := OpenFlagd(path, "default", &FlagdOptions{Logger: quiet})
	defer f.Close()
	f.mu.Lock() // as it is while the file is read
	defer f.mu.Unlock()
	served := make(chan error, 1)
	go func() {
		_, err := f.Head(t.Context(), "default")
		served <- err
	}()
	select {
	case err := <-served:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Head waits for the file")
	}
}

package filestore

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

func hasty(path string, s sabotage) *LastKnownGood {
	l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet, Interval: time.Nanosecond})
	l.sabotage = s
	return l
}

// TestOneWriterAtATime: a writer that has compared its version with the file's is
// overtaken by one with a newer version; without the lock the older one wins.
func TestOneWriterAtATime(t *testing.T) {
	for _, s := range []sabotage{{}, {unlocked: true}} {
		path := filepath.Join(t.TempDir(), "app.lkg")
		_, next := history(t, "default", 3)
		put(t, hasty(path, sabotage{}), next())
		older, newer := next(), next()
		slow, quick := hasty(path, s), hasty(path, s)
		locked, done := make(chan struct{}, 1), make(chan struct{})
		quick.step = func(step string) {
			if step == "blocked" {
				select {
				case locked <- struct{}{}:
				default:
				}
			}
		}
		slow.step = func(step string) {
			if step != "compared" {
				return
			}
			go func() {
				defer close(done)
				if err := quick.Put(context.Background(), flags.Update{Head: newer.Head}, func() *flags.Checkpoint { return newer }); err != nil {
					t.Error(err)
				}
			}()
			select {
			case <-done:
			case <-locked:
			}
		}
		put(t, slow, older)
		<-done
		head, err := slow.Head(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		if back := head.Version.Before(newer.Head.Version); back != s.unlocked {
			t.Errorf("unlocked %v: file at %v, %v was written", s.unlocked, head.Version, newer.Head.Version)
		}
	}
}

// TestPreviousGenerationSaves: with the newest file damaged there is the one before;
// where none is kept there is nothing.
func TestPreviousGenerationSaves(t *testing.T) {
	for _, s := range []sabotage{{}, {single: true}} {
		path := filepath.Join(t.TempDir(), "app.lkg")
		_, next := history(t, "default", 3)
		l := hasty(path, s)
		first := next()
		put(t, l, first)
		put(t, l, next())
		damage(t, path)
		head, err := l.Head(t.Context(), "default")
		if saved := err == nil && head == first.Head; saved == s.single {
			t.Errorf("single %v: head %v, %v", s.single, head, err)
		}
	}
}

// TestStoppedWriter: another process that holds the lock for ever is not waited for.
func TestStoppedWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.lkg")
	synctest.Test(t, func(t *testing.T) {
		_, next := history(t, "default", 3)
		l := hasty(path, sabotage{})
		held, err := lock(path+".lock", func() {})
		if err != nil {
			t.Fatal(err)
		}
		cp := next()
		began := time.Now()
		err = l.Put(t.Context(), flags.Update{Head: cp.Head}, func() *flags.Checkpoint { return cp })
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "held by another writer") || took > 2*lockWait {
			t.Errorf("put: %v after %v", err, took)
		}
		if err := held.Close(); err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil { // writes what is pending
			t.Error(err)
		}
		if head, err := l.Head(t.Context(), "default"); err != nil || head != cp.Head {
			t.Errorf("head %v, %v; want %v", head, err, cp.Head)
		}
	})
}

// TestSweep: what crashed writers left goes with the next write; what is not
// ours, or may still be written to, stays.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "app.lkg")
	old := time.Now().Add(-time.Hour)
	for name, at := range map[string]time.Time{
		".app.lkg.123.tmp": old, ".app.lkg.456.tmp": time.Now(), ".app.lkg.x.tmp": old, ".app.lkg..tmp": old,
		".app.lkg.1.7.tmp": old, "app.lkg.123.tmp": old, ".other.lkg.123.tmp": old,
	} {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte("half a fi"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, at, at); err != nil {
			t.Fatal(err)
		}
	}
	_, next := history(t, "default", 3)
	put(t, hasty(path, sabotage{}), next())
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := ".app.lkg..tmp .app.lkg.1.7.tmp .app.lkg.456.tmp .app.lkg.x.tmp .other.lkg.123.tmp app.lkg app.lkg.123.tmp app.lkg.lock"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("left: %s\nwant: %s", got, want)
	}
}

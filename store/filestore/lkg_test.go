package filestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

const flagOn = `{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`

var quiet = slog.New(slog.DiscardHandler)

// history returns a set of n flags and a function that adds one commit to it.
func history(t *testing.T, set string, n int) (*flags.Contents, func() *flags.Checkpoint) {
	t.Helper()
	c := flags.NewContents(set)
	add := func(commit flags.Commit) *flags.Checkpoint {
		t.Helper()
		commit.Set = set
		if err := c.Seal(&commit); err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(&commit); err != nil {
			t.Fatal(err)
		}
		return c.Checkpoint()
	}
	create := flags.Commit{Op: flags.OpCreate}
	for i := range n {
		create.Changes = append(create.Changes, flags.Mutation{Key: flags.FlagKey(fmt.Sprintf("flag-%d", i)), Bytes: []byte(flagOn)})
	}
	add(create)
	return c, func() *flags.Checkpoint {
		key := flags.FlagKey(fmt.Sprintf("new-%d", c.Head().Revision))
		return add(flags.Commit{Changes: []flags.Mutation{{Key: key, Bytes: []byte(flagOn)}}})
	}
}

func put(t *testing.T, l *LastKnownGood, cp *flags.Checkpoint) {
	t.Helper()
	if err := l.Put(t.Context(), flags.Update{Head: cp.Head}, func() *flags.Checkpoint { return cp }); err != nil {
		t.Fatal(err)
	}
}

func TestLastKnownGoodRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "app.lkg")
	c, next := history(t, "default", 100)
	l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet})
	if _, err := l.Head(t.Context(), "default"); !errors.Is(err, ErrNothingKept) || flags.ClassOf(err) != flags.ClassNotFound {
		t.Errorf("no file: error %v of class %v, want ErrNothingKept, not found", err, flags.ClassOf(err))
	}
	cp := next()
	put(t, l, cp)
	u, err := NewLastKnownGood(path, "default", nil).Fetch(t.Context(), "default", flags.Head{})
	if err != nil {
		t.Fatal(err)
	}
	if u.Head != c.Head() || len(u.Checkpoint.Entries) != 101 || !bytes.Equal(u.Checkpoint.Entries[0].Bytes, []byte(flagOn)) {
		t.Errorf("read back %+v", u.Head)
	}
	if age := time.Since(u.AsOf); age < 0 || age > time.Minute {
		t.Errorf("age %v", age)
	}
	if u, err := l.Fetch(t.Context(), "default", c.Head()); err != nil || u.Checkpoint != nil || u.Head != c.Head() {
		t.Errorf("fetch of what is held: %v, checkpoint %v", err, u.Checkpoint)
	}
	if _, err := l.Head(t.Context(), "other"); !errors.Is(err, ErrNothingKept) {
		t.Errorf("another set: %v", err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestFailedWriteIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // no directory can be made here
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		_, next := history(t, "default", 3)
		l := NewLastKnownGood(filepath.Join(dir, "app.lkg"), "default", &LKGOptions{Logger: quiet})
		defer l.Close()
		cp := next()
		if err := l.Put(t.Context(), flags.Update{Head: cp.Head}, func() *flags.Checkpoint { return cp }); flags.ClassOf(err) != flags.ClassTransient || err == nil {
			t.Fatalf("put: %v", err)
		}
		if err := os.Remove(dir); err != nil {
			t.Fatal(err)
		}
		time.Sleep(retryAfter)
		synctest.Wait()
		if head, err := l.Head(t.Context(), "default"); err != nil || head != cp.Head {
			t.Errorf("head %v, %v; want %v", head, err, cp.Head)
		}
	})
}

// TestNeverBack: a late writer with an older version loses; with the guard off it wins.
func TestNeverBack(t *testing.T) {
	for _, unguarded := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "app.lkg")
		_, next := history(t, "default", 3)
		older, newer := next(), next()
		o := &LKGOptions{Logger: quiet, Interval: time.Nanosecond}
		put(t, NewLastKnownGood(path, "default", o), newer)
		late := NewLastKnownGood(path, "default", o)
		late.sabotage.anyVersion = unguarded
		put(t, late, older)
		head, err := late.Head(t.Context(), "default")
		if err != nil {
			t.Fatal(err)
		}
		if back := head.Version.Before(newer.Head.Version); back != unguarded {
			t.Errorf("unguarded %v: file at %v after %v", unguarded, head.Version, newer.Head.Version)
		}
	}
}

// TestAnotherDigestReplaces: of two sets at one version, the one offered last was
// confirmed by an origin since; the one in the file goes.
func TestAnotherDigestReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.lkg")
	_, next := history(t, "default", 3)
	wrong := next()
	right := &flags.Checkpoint{Head: wrong.Head, Entries: slices.Clone(wrong.Entries)}
	e := &right.Entries[0]
	right.Digest = right.Digest.Minus(flags.EntryHash(e.Key, e.Bytes))
	e.Bytes = []byte(strings.Replace(flagOn, `"defaultVariant":"on"`, `"defaultVariant":"off"`, 1))
	right.Digest = right.Digest.Plus(flags.EntryHash(e.Key, e.Bytes))
	l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet, Interval: time.Nanosecond})
	put(t, l, wrong)
	put(t, l, right)
	if head, err := l.Head(t.Context(), "default"); err != nil || head != right.Head {
		t.Errorf("head %v, %v; want %v", head, err, right.Head)
	}
}

func TestAnotherLineageReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.lkg")
	_, nextA := history(t, "default", 3)
	_, nextB := history(t, "default", 3)
	l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet, Interval: time.Nanosecond})
	nextA()
	put(t, l, nextA())
	b := nextB() // an older revision, but of the history that is now the known one
	put(t, l, b)
	if head, err := l.Head(t.Context(), "default"); err != nil || head != b.Head {
		t.Errorf("head %v, %v; want %v", head, err, b.Head)
	}
}

func TestWritesAreCoalesced(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(dir, "app.lkg")
		_, next := history(t, "default", 3)
		l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet})
		var encoded atomic.Int32
		offer := func() flags.Head {
			cp := next()
			if err := l.Put(t.Context(), flags.Update{Head: cp.Head}, func() *flags.Checkpoint { encoded.Add(1); return cp }); err != nil {
				t.Fatal(err)
			}
			return cp.Head
		}
		var last flags.Head
		for range 10 {
			last = offer()
		}
		if encoded.Load() != 1 {
			t.Errorf("%d writes at once, want 1", encoded.Load())
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if head, err := l.Head(t.Context(), "default"); err != nil || head != last || encoded.Load() != 2 {
			t.Errorf("a second later: head %v, %v, %d writes; want %v, 2 writes", head, err, encoded.Load(), last)
		}
		offer()
		last = offer()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		if head, err := l.Head(t.Context(), "default"); err != nil || head != last {
			t.Errorf("after close: head %v, %v; want %v", head, err, last)
		}
		if err := l.Put(t.Context(), flags.Update{Head: last}, nil); !errors.Is(err, os.ErrClosed) {
			t.Errorf("put after close: %v", err)
		}
	})
}

func TestManyWritersOnePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.lkg")
	_, next := history(t, "default", 20)
	var cps []*flags.Checkpoint
	for range 40 {
		cps = append(cps, next())
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet, Interval: time.Nanosecond})
			for i := w; i < len(cps); i += 4 {
				if err := l.Put(context.Background(), flags.Update{Head: cps[i].Head}, func() *flags.Checkpoint { return cps[i] }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	head, err := NewLastKnownGood(path, "default", nil).Head(t.Context(), "default")
	if want := cps[len(cps)-1].Head; err != nil || head != want {
		t.Errorf("head %v, %v; want %v", head, err, want)
	}
}

package filestore

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// sized returns an encoded file of at least so many bytes.
func sized(t *testing.T, bytes int) []byte {
	t.Helper()
	c := flags.NewContents("default")
	create := flags.Commit{Set: "default", Op: flags.OpCreate}
	noise := rand.NewChaCha8([32]byte{1})
	for n := 0; n < bytes; n += 1024 { // of noise, which does not compress
		text := make([]byte, 1024)
		for i := range text {
			text[i] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"[noise.Uint64()%64]
		}
		def := `{"defaultVariant":"v","state":"ENABLED","variants":{"v":"` + string(text) + `"}}`
		create.Changes = append(create.Changes, flags.Mutation{Key: flags.FlagKey("flag-" + string(text[:12])), Bytes: []byte(def)})
	}
	if err := errors.Join(c.Seal(&create), c.Apply(&create)); err != nil {
		t.Fatal(err)
	}
	data, err := encodeKept(c.Checkpoint(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestDamageIsRefused cuts a file of 64 KiB at each byte and flips each of its
// half a million bits.
func TestDamageIsRefused(t *testing.T) {
	const size = 64 << 10
	file := sized(t, size*5/4)
	if len(file) < size {
		t.Fatalf("the file has %d bytes", len(file))
	}
	if _, err := decodeKept(file, false); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for n := range file {
		if _, err := decodeKept(file[:n], false); !errors.Is(err, flags.ErrFormat) {
			t.Fatalf("cut at %d of %d: %v", n, len(file), err)
		}
	}
	cut := time.Since(began)
	if flipped := flipEach(file, false); flipped >= 0 {
		t.Fatalf("bit %d flipped: accepted", flipped)
	}
	matrix.Tally(t, "F19", len(file)*9, 0)
	t.Logf("%d cuts in %v, %d flips in %v", len(file), cut, len(file)*8, time.Since(began)-cut)
}

// TestFlipsFindUncheckedFiles is its twin: without the checksums of the file, what
// is inside does not notice all of them.
func TestFlipsFindUncheckedFiles(t *testing.T) {
	if flipEach(sized(t, 1), true) < 0 {
		t.Error("no flipped bit was accepted without checksums")
	}
}

// flipEach returns a bit that can be flipped unnoticed, or -1.
func flipEach(file []byte, trusting bool) int {
	var wg sync.WaitGroup
	var unnoticed atomic.Int64
	unnoticed.Store(-1)
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		mine := bytes.Clone(file)
		wg.Go(func() {
			for bit := w; bit < len(mine)*8; bit += workers {
				mine[bit/8] ^= 1 << (bit % 8)
				if _, err := decodeKept(mine, trusting); err == nil {
					unnoticed.Store(int64(bit))
				}
				mine[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
	wg.Wait()
	return int(unnoticed.Load())
}

// TestForeignFiles: what is no file of ours is refused in one clear line, at
// once, and replaced by the next write.
func TestForeignFiles(t *testing.T) {
	future := sized(t, 1)
	future[len(fileMagic)] = fileVersion + 7
	for _, tt := range []struct {
		name string
		make func(path string) error
		says string
	}{
		{"empty", func(p string) error { return os.WriteFile(p, nil, 0o600) }, "not a last-known-good file"},
		{"garbage", func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte("garbage"), 1000), 0o600) }, "not a last-known-good file"},
		{"of a future format", func(p string) error { return os.WriteFile(p, future, 0o600) }, "format version 9, this version reads 2"},
		{"endless", func(p string) error { return errors.Join(os.WriteFile(p, nil, 0o600), os.Truncate(p, 10<<30)) }, "has 10737418240 bytes, at most"},
		{"a pipe", func(p string) error { return syscall.Mkfifo(p, 0o600) }, "not a regular file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "app.lkg")
			if err := tt.make(path); err != nil {
				t.Fatal(err)
			}
			l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet})
			_, err := l.Fetch(t.Context(), "default", flags.Head{})
			if !errors.Is(err, ErrNothingKept) || flags.ClassOf(err) != flags.ClassTransient || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want one that says %q", err, tt.says)
			}
			_, next := history(t, "default", 3)
			cp := next()
			put(t, l, cp)
			if head, err := l.Head(t.Context(), "default"); err != nil || head != cp.Head {
				t.Errorf("after the next write: head %v, %v; want %v", head, err, cp.Head)
			}
		})
	}
}

// TestDamagedFileFallsBackToPrevious: what a reader is given from the generation
// before is not gone back from either; with the guard off it is.
func TestDamagedFileFallsBackToPrevious(t *testing.T) {
	for _, unguarded := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "app.lkg")
		_, next := history(t, "default", 3)
		l := NewLastKnownGood(path, "default", &LKGOptions{Logger: quiet, Interval: time.Nanosecond})
		l.sabotage.anyVersion = unguarded
		want := func(what string, cp *flags.Checkpoint) {
			t.Helper()
			if head, err := l.Head(t.Context(), "default"); err != nil || head != cp.Head {
				t.Errorf("%s: head %v, %v; want %v", what, head, err, cp.Head)
			}
		}
		oldest, first, second, third := next(), next(), next(), next()
		put(t, l, first)
		put(t, l, second)
		want("whole", second)
		damage(t, path)
		want("damaged", first)
		put(t, l, oldest)
		if unguarded {
			want("unguarded", oldest)
			continue
		}
		want("an older one came late", first)
		put(t, l, third) // a damaged file must not keep a good one out
		want("written again", third)
		damage(t, path) // nor push out the good one before it
		want("damaged again", first)
	}
}

func damage(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func FuzzDecodeKept(f *testing.F) {
	f.Add([]byte(fileMagic))
	f.Fuzz(func(t *testing.T, data []byte) {
		k, err := decodeKept(data, false)
		if err != nil {
			return
		}
		if err := k.checkpoint.Verify(); err != nil {
			t.Error(err)
		}
	})
}

package boltstore_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

// foreign makes a bbolt file with one bucket and perhaps a key in it.
func foreign(t *testing.T, path, bucket, key, value string) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Update(func(tx *bolt.Tx) error {
		b, err := tx.CreateBucket([]byte(bucket))
		if err == nil && key != "" {
			err = b.Put([]byte(key), []byte(value))
		}
		if err == nil && bucket == "meta" {
			_, err = tx.CreateBucket([]byte("sets"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		make func(t *testing.T, path string)
		want error
		says string
	}{
		"a text": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("flags: {}\n", 1000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, boltstore.ErrCorrupt, "no bbolt database"},
		"a short text": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
				t.Fatal(err)
			}
		}, boltstore.ErrCorrupt, "it has 1 bytes"},
		"somebody's database": {func(t *testing.T, path string) { foreign(t, path, "pictures", "", "") }, nil, "of something else"},
		"a later format":      {func(t *testing.T, path string) { foreign(t, path, "meta", "format", "holdfast-journal-9") }, nil, "holdfast-journal-9"},
		"a directory": {func(t *testing.T, path string) {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, nil, "no regular file"},
		"a missing directory": {func(t *testing.T, path string) {
			if err := os.Symlink(filepath.Join(path+".d", "nowhere"), path); err != nil {
				t.Fatal(err)
			}
		}, fs.ErrNotExist, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "holdfast.db")
			tc.make(t, path)
			_, err := boltstore.Open(path, nil)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) {
				t.Fatalf("error %v, want %v", err, tc.want)
			}
			text := err.Error()
			if !strings.Contains(text, tc.says) || !strings.Contains(text, "holdfast.db") || strings.Contains(text, "\n") {
				t.Fatalf("says %q, want one line with %q and the path", text, tc.says)
			}
			if flags.ClassOf(err) != flags.ClassPermanent {
				t.Errorf("class %s, want permanent", flags.ClassOf(err))
			}
		})
	}
}

func TestOneProcessAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	first, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	createShop(t, first)
	_, err = boltstore.Open(path, &boltstore.Options{LockTimeout: 20 * time.Millisecond})
	if !errors.Is(err, boltstore.ErrLocked) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
		t.Fatalf("the second opening: %v", err)
	}
	apply(t, first, change("a", 1)) // undisturbed
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = second.Close()
}

func TestFileIsItsOwners(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	s, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v (%v), want 0600", info.Mode(), err)
	}
}

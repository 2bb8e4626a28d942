package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

func change(key string, n int) flags.Commit {
	return flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{
		Key:   flags.FlagKey(key),
		Bytes: fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n),
	}}}
}

func apply(t testing.TB, s store.Writer, c flags.Commit) flags.Head {
	t.Helper()
	accepted, err := s.Apply(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return accepted.Head()
}

func createShop(t testing.TB, s store.Writer) flags.Head {
	t.Helper()
	return apply(t, s, flags.Commit{Set: "shop", ID: flags.NewCommitID(), Op: flags.OpCreate})
}

// written returns the bytes of a file with n commits and a checkpoint, and the heads.
func written(t testing.TB, n int) ([]byte, map[flags.Head]bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "good.db")
	s, err := boltstore.Open(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	heads := map[flags.Head]bool{createShop(t, s): true}
	for i := range n {
		heads[apply(t, s, change(fmt.Sprintf("flag-%d", i%20), i))] = true
		if i == n/2 {
			if err := s.Compact(t.Context(), "shop"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data, heads
}

// openDamaged opens a damaged file and wants it to be refused in one line, with
// the file as it was, or to serve a state that once was, whole. It returns
// whether it was refused.
func openDamaged(t testing.TB, what string, data []byte, heads map[flags.Head]bool) bool {
	t.Helper()
	path := filepath.Join(t.TempDir(), "damaged.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := boltstore.Open(path, nil)
	if err != nil {
		if strings.Contains(err.Error(), "\n") || !errors.Is(err, boltstore.ErrCorrupt) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: refused with %q", what, err)
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(after, data) {
			t.Errorf("%s: a refused file was changed (%v)", what, err)
		}
		return true
	}
	defer func() { _ = s.Close() }()
	u, err := s.Fetch(t.Context(), "shop", flags.Head{Set: "shop"})
	if err != nil {
		t.Fatalf("%s: opened, but: %v", what, err)
	}
	if _, err := store.Assemble("shop", u); err != nil || !heads[u.Head] {
		t.Fatalf("%s: serves %+v, which never was (%v)", what, u.Head, err)
	}
	wholeHistory(t, what, s, heads)
	return false
}

// wholeHistory wants every commit that can be read to be one that was written.
func wholeHistory(t testing.TB, what string, s *boltstore.Store, heads map[flags.Head]bool) {
	t.Helper()
	commits, err := s.Commits(t.Context(), "shop", flags.Version{}, flags.Version{Epoch: 9}, 0)
	if err != nil && !errors.Is(err, boltstore.ErrCorrupt) {
		t.Fatalf("%s: history: %v", what, err)
	}
	for i := range commits {
		if !heads[commits[i].Head()] {
			t.Fatalf("%s: history has %s, which never was", what, commits[i].Head().Token())
		}
	}
}

func TestCutOffFile(t *testing.T) {
	data, heads := written(t, 40)
	page := os.Getpagesize()
	refused := 0
	for size := len(data) - 1; size > 0; size -= page / 2 {
		if openDamaged(t, fmt.Sprintf("cut to %d bytes of %d", size, len(data)), data[:size], heads) {
			refused++
		}
	}
	if refused == 0 {
		t.Fatal("nothing was refused: this shows nothing")
	}
}

func TestChangedBytes(t *testing.T) {
	data, heads := written(t, 40)
	random := rand.New(rand.NewPCG(7, 7))
	refused := 0
	for range 200 {
		bad := bytes.Clone(data)
		at := random.IntN(len(bad))
		bad[at] ^= 1 << random.IntN(8)
		if openDamaged(t, fmt.Sprintf("byte %d changed", at), bad, heads) {
			refused++
		}
	}
	t.Logf("%d of 200 refused", refused)
	if refused == 0 {
		t.Fatal("nothing was refused: this shows nothing")
	}
}

// TestNestedInlineBuckets: a page whose two values are the same bytes, which hold
// such a page again, would take twice as long with each level.
func TestNestedInlineBuckets(t *testing.T) {
	page := leafPage(0, nil)
	for levels := range 3 {
		if err := boltstore.VerifyLeaf(page); (err != nil) != (levels > 1) {
			t.Errorf("buckets %d levels deep: %v", levels, err)
		}
		page = leafPage(1, slices.Concat(make([]byte, 16), page)) // no root page: the bucket is inline
	}
}

// leafPage is a leaf of bbolt with two elements that share their value.
func leafPage(flags uint32, value []byte) []byte {
	order := binary.NativeEndian
	page := make([]byte, 16+2*16)
	order.PutUint16(page[8:], 2)  // a leaf
	order.PutUint16(page[10:], 2) // of two
	for i := range 2 {
		e := page[16+i*16:]
		order.PutUint32(e, flags)
		order.PutUint32(e[4:], uint32(2*16-i*15)) // from the element to its key: "ab", then the "b" of it
		order.PutUint32(e[8:], uint32(2-i))
		order.PutUint32(e[12:], uint32(len(value)))
	}
	return slices.Concat(page, []byte("ab"), value)
}

func FuzzDamage(f *testing.F) {
	data, heads := written(f, 20)
	f.Add(uint32(0), uint64(1))
	f.Add(uint32(4096*3+8), uint64(0xFFFF))
	f.Add(uint32(len(data)-20), ^uint64(0))
	f.Fuzz(func(t *testing.T, at uint32, mask uint64) {
		bad := bytes.Clone(data)
		for i := range 8 {
			bad[(int(at)+i)%len(bad)] ^= byte(mask >> (8 * i))
		}
		openDamaged(t, fmt.Sprintf("8 bytes at %d changed by %x", at, mask), bad, heads)
	})
}

func TestDamagedCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "holdfast.db")
	s, err := boltstore.Open(path, &boltstore.Options{KeepCommits: 1, KeepFor: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	createShop(t, s)
	var head flags.Head
	for i := range 3 { // two checkpoints, the commits before the older one forgotten
		head = apply(t, s, change("a", i))
		if err := s.Compact(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
	}
	for damaged := 1; damaged <= 2; damaged++ {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		damageCheckpoints(t, path, damaged)
		s, err = boltstore.Open(path, nil)
		if damaged == 2 {
			if !errors.Is(err, boltstore.ErrCorrupt) || !strings.Contains(err.Error(), "checkpoint") {
				t.Fatalf("with every checkpoint damaged: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatalf("with the newest checkpoint damaged: %v", err)
		}
		if h, err := s.Head(t.Context(), "shop"); err != nil || h != head {
			t.Fatalf("head %+v (%v), want %+v", h, err, head)
		}
	}
}

// damageCheckpoints changes a byte in each of the n newest checkpoints.
func damageCheckpoints(t testing.TB, path string, n int) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("sets")).Bucket([]byte("shop")).Bucket([]byte("checkpoints"))
		changed := map[string][]byte{}
		c := b.Cursor()
		for k, v := c.Last(); k != nil && len(changed) < n; k, v = c.Prev() {
			bad := bytes.Clone(v)
			bad[len(bad)/2] = 'X'
			changed[string(k)] = bad
		}
		for k, v := range changed {
			if err := b.Put([]byte(k), v); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

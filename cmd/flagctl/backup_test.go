package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// savedBackup is a backup of two sets with some history.
func savedBackup(t testing.TB) []byte {
	t.Helper()
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	var b bytes.Buffer
	w, err := newBackupWriter(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"a", "b"} {
		for i, op := range []flags.Op{flags.OpCreate, flags.OpChange} {
			c := flags.Commit{Set: set, ID: flags.NewCommitID(), Op: op, Changes: []flags.Mutation{
				{Key: flags.FlagKey(string(rune('x' + i))), Bytes: []byte(`{"state":"ENABLED","variants":{"on":true}}`)}}}
			if _, err := st.Apply(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.set(t.Context(), st, set); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDamagedBackups: a byte that is wrong, missing or too many is noticed wherever
// it is, and named as damage.
func TestDamagedBackups(t *testing.T) {
	whole := savedBackup(t)
	sets, err := parseBackup(whole)
	if err != nil || len(sets) != 2 || len(sets[1].commits) != 2 || sets[1].checkpoint.Count != 2 {
		t.Fatalf("the whole backup: %v, %v", sets, err)
	}
	refused := func(what string, at int, data []byte) {
		if _, err := parseBackup(data); !errors.Is(err, flags.ErrFormat) && !errors.Is(err, flags.ErrDigest) {
			t.Errorf("%s at %d: %v", what, at, err)
		}
	}
	for i := range whole {
		flipped := bytes.Clone(whole)
		flipped[i] ^= 1
		refused("flipped", i, flipped)
		refused("cut off", i, whole[:i])
	}
	refused("one more byte", len(whole), append(bytes.Clone(whole), 0))
}

// FuzzParseBackup: foreign bytes under a digest that is right never do more than
// be refused.
func FuzzParseBackup(f *testing.F) {
	whole := savedBackup(f)
	f.Add(whole[:len(whole)-sha256.Size])
	f.Add([]byte(backupMagic + "\x01E"))
	f.Add([]byte(backupMagic + "\x01K\xff\xff\xff\xffE"))
	f.Add([]byte(backupMagic + "\x01C\x00\x00\x00\x00E"))
	f.Fuzz(func(t *testing.T, data []byte) {
		sum := sha256.Sum256(data)
		sets, err := parseBackup(append(bytes.Clone(data), sum[:]...))
		if err != nil && sets != nil {
			t.Error("an error, and sets")
		}
		for _, s := range sets {
			if err := s.checkpoint.Verify(); err != nil {
				t.Errorf("%s: %v", s.checkpoint.Token(), err)
			}
		}
	})
}

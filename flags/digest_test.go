package flags_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

func TestDigestIsASum(t *testing.T) {
	hashes := make([]flags.Digest, 100)
	for i := range hashes {
		hashes[i] = flags.EntryHash(flags.FlagKey(fmt.Sprint(i)), []byte(goodFlag))
	}
	sum := func(order []int) (d flags.Digest) {
		for _, i := range order {
			d = d.Plus(hashes[i])
		}
		return d
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	want := sum(rnd.Perm(len(hashes)))
	for range 20 {
		if got := sum(rnd.Perm(len(hashes))); got != want {
			t.Fatalf("%s in another order, %s before", got, want)
		}
	}
	left := want
	for _, i := range rnd.Perm(len(hashes)) {
		left = left.Minus(hashes[i])
	}
	if left != (flags.Digest{}) {
		t.Errorf("all added and all taken away leaves %s", left)
	}
}

func TestDigestCarries(t *testing.T) {
	ones, ok := flags.DigestFromBytes([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"))
	one, ok2 := flags.DigestFromBytes(append(make([]byte, 15), 1))
	if !ok || !ok2 {
		t.Fatal("16 bytes are a digest")
	}
	if got := ones.Plus(one); got != (flags.Digest{}) {
		t.Errorf("2^128-1 + 1 = %s", got)
	}
	if got := (flags.Digest{}).Minus(one); got != ones {
		t.Errorf("0 - 1 = %s", got)
	}
	low, _ := flags.DigestFromBytes(append(make([]byte, 8), "\xff\xff\xff\xff\xff\xff\xff\xff"...))
	if got := low.Plus(one).String(); got != "00000000000000010000000000000000" {
		t.Errorf("a carry gives %s", got)
	}
}

func TestDigestBytes(t *testing.T) {
	d := flags.EntryHash(flags.FlagKey("x"), []byte("1"))
	if back, ok := flags.DigestFromBytes(d.Bytes()); !ok || back != d {
		t.Errorf("%s came back as %s", d, back)
	}
	for _, n := range []int{0, 15, 17} {
		if _, ok := flags.DigestFromBytes(make([]byte, n)); ok {
			t.Errorf("%d bytes are no digest", n)
		}
	}
}

// TestEntryHash holds the hash to its definition: it is part of every stored form.
func TestEntryHash(t *testing.T) {
	text := "\x04" + "\x04flag" + "\x06entity" + "\x10" + `{"variant":"on"}`
	sum := sha256.Sum256([]byte(text))
	if got := flags.EntryHash(flags.OverrideKey("flag", "entity"), []byte(`{"variant":"on"}`)); got.String() != fmt.Sprintf("%x", sum[:16]) {
		t.Errorf("%s, want %x", got, sum[:16])
	}
}

// TestEntryHashSeparates entries whose parts read the same one after the other.
func TestEntryHashSeparates(t *testing.T) {
	type part struct {
		key  flags.EntryKey
		data string
	}
	seen := map[flags.Digest]part{}
	for _, p := range []part{
		{flags.FlagKey("ab"), "c"}, {flags.FlagKey("a"), "bc"}, {flags.FlagKey("abc"), ""}, {flags.FlagKey(""), "abc"},
		{evaluatorKey("ab"), "c"}, {metadataKey("ab"), "c"},
		{flags.OverrideKey("a", "b"), "c"}, {flags.OverrideKey("ab", ""), "c"}, {flags.OverrideKey("", "ab"), "c"},
		{flags.FlagKey("AB"), "c"}, {flags.FlagKey("é"), "c"}, {flags.FlagKey("e\u0301"), "c"},
	} {
		h := flags.EntryHash(p.key, []byte(p.data))
		if other, ok := seen[h]; ok {
			t.Errorf("%v and %v hash alike", p, other)
		}
		seen[h] = p
	}
}

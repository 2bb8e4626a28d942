package flags

import (
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The table does what a map does, and what was published never changes.
func TestTableAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	want := map[string]int{}
	var tab table[int]
	type frozen struct {
		tab  table[int]
		want map[string]int
	}
	var past []frozen
	for step := range 300 {
		e := new(edit)
		tab = tab.clone()
		for range 1 + r.IntN(60) {
			key := fmt.Sprint(r.IntN(4000))
			if r.IntN(3) == 0 {
				tab.remove(e, key)
				delete(want, key)
				continue
			}
			value := 1 + r.IntN(1000)
			tab.put(e, key, value)
			want[key] = value
		}
		if step%40 == 0 {
			past = append(past, frozen{tab, maps.Clone(want)})
		}
	}
	past = append(past, frozen{tab, want})
	for i, p := range past {
		if got := maps.Collect(p.tab.all()); !maps.Equal(got, p.want) || p.tab.count != len(p.want) {
			t.Fatalf("state %d: %d entries (count %d), want %d", i, len(got), p.tab.count, len(p.want))
		}
		for n := range 4000 {
			if key := fmt.Sprint(n); p.tab.get(key) != p.want[key] {
				t.Fatalf("state %d: %s is %d, want %d", i, key, p.tab.get(key), p.want[key])
			}
		}
	}
}

// One change copies one page and the directory, however many entries there are.
func TestTableChangeCopiesOnePage(t *testing.T) {
	tab := sizedTable[int](100_000)
	e := new(edit)
	for i := range 100_000 {
		tab.put(e, fmt.Sprint("key-", i), i)
	}
	next := tab.clone()
	next.put(new(edit), "key-77", -1)
	copied := 0
	for i := range tab.pages {
		if tab.pages[i] != next.pages[i] {
			copied++
		}
	}
	if copied != 1 || len(next.pages) != len(tab.pages) || next.get("key-77") != -1 || tab.get("key-77") != 77 {
		t.Fatalf("%d of %d pages copied", copied, len(tab.pages))
	}
	if mean := tab.count / len(tab.pages); mean < 8 {
		t.Fatalf("%d entries in %d pages", tab.count, len(tab.pages))
	}
}

// Keys that differ in one place spread as evenly as chance would have it, and a
// flipped bit anywhere changes about half of the hash.
func TestHashText(t *testing.T) {
	for _, format := range []string{"%d", "tenant-%d", "service.%d.feature", "%08d", "a-rather-long-key-with-the-number-at-the-end-%d"} {
		var low, high [256]int
		for i := range 25_600 {
			h := hashText(fmt.Sprintf(format, i))
			low[h%256]++
			high[h>>32%256]++
		}
		for i := range low {
			if low[i] < 40 || low[i] > 180 || high[i] < 40 || high[i] > 180 {
				t.Fatalf("%s: bucket %d has %d low, %d high, mean 100", format, i, low[i], high[i])
			}
		}
	}
	seen := map[uint64]string{}
	short := []string{""}
	for range 5 {
		for _, s := range short {
			for _, c := range "`abcd" {
				short = append(short, s+string(c))
			}
		}
		slices.Sort(short)
		short = slices.Compact(short)
	}
	for _, s := range short {
		if prior, ok := seen[hashText(s)]; ok {
			t.Fatalf("%q and %q hash alike", prior, s)
		}
		seen[hashText(s)] = s
	}
	for n := range 40 {
		for _, c := range []string{"a", "\x00", "\xff"} {
			s := strings.Repeat(c, n)
			if prior, ok := seen[hashText(s)]; ok && prior != s {
				t.Fatalf("%q and %q hash alike", prior, s)
			}
			seen[hashText(s)] = s
			for i := range n {
				flipped := []byte(s)
				flipped[i] ^= 1
				if d := bits.OnesCount64(hashText(s) ^ hashText(string(flipped))); d < 8 {
					t.Fatalf("%q: %d bits change with byte %d", s, d, i)
				}
			}
		}
	}
}

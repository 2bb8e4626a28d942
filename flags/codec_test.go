package flags_test

import (
	"bytes"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// aCommit has every field set; long makes it large enough to be compressed.
func aCommit(long bool) *flags.Commit {
	c := &flags.Commit{
		Set: "checkout-prod", Lineage: "k7q2m9xy", Version: flags.Version{Epoch: 3, Revision: 1 << 40}, ID: flags.CommitID{1, 2, 15: 9},
		Op: flags.OpChange, Actor: flags.Actor{Kind: "user", ID: "ann", Via: "flagctl"}, Reason: "ticket 7\nünïcode", Address: "192.0.2.7:4411",
		Time: time.Date(2026, 2, 3, 4, 5, 6, 789_000_000, time.UTC),
		Changes: []flags.Mutation{
			put(flags.FlagKey("new-checkout"), goodFlag), drop(flags.FlagKey("old")), put(flags.OverrideKey("new-checkout", "tenant-42"), `{"variant":"on"}`),
		},
		Conditions: []flags.Condition{{Key: flags.FlagKey("new-checkout"), Version: flags.Version{Epoch: 3, Revision: 7}}, {Key: evaluatorKey("beta")}},
		If:         flags.Version{Epoch: 3, Revision: 1<<40 - 1},
		Digest:     flags.EntryHash(flags.FlagKey("x"), nil), Count: 12,
	}
	if long {
		for i := range 40 {
			c.Changes = append(c.Changes, put(flags.FlagKey(fmt.Sprintf("flag-%02d", i)), goodFlag))
		}
	}
	return c
}

func aCheckpoint(t testing.TB, flagCount int) *flags.Checkpoint {
	t.Helper()
	changes := []flags.Mutation{put(metadataKey("team"), `"shop"`), put(evaluatorKey("beta"), `true`), put(flags.OverrideKey("flag-00", "e"), `{"variant":"on"}`)}
	for i := range flagCount {
		changes = append(changes, put(flags.FlagKey(fmt.Sprintf("flag-%02d", i)), goodFlag))
	}
	return contents(t, changes...).Checkpoint()
}

func marshal(t testing.TB, m encoding.BinaryMarshaler) []byte {
	t.Helper()
	b, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCommitRoundTrip(t *testing.T) {
	for name, c := range map[string]*flags.Commit{
		"full": aCommit(false), "compressed": aCommit(true), "empty": {Changes: []flags.Mutation{}},
		"delete": {Set: "s", Op: flags.OpDelete, Lineage: "k7q2m9xy", Version: flags.Version{Revision: math.MaxUint64}, Changes: []flags.Mutation{}},
	} {
		var got flags.Commit
		if err := got.UnmarshalBinary(marshal(t, c)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(&got, c) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", name, got, *c)
		}
	}
}

func TestEncodingKeepsMicroseconds(t *testing.T) {
	c := &flags.Commit{Time: time.Date(2026, 1, 1, 0, 0, 0, 1_999, time.FixedZone("", 3600))}
	var got flags.Commit
	if err := got.UnmarshalBinary(marshal(t, c)); err != nil {
		t.Fatal(err)
	}
	if want := c.Time.Truncate(time.Microsecond); !got.Time.Equal(want) || got.Time.Location() != time.UTC {
		t.Errorf("%v, want %v in UTC", got.Time, want)
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	for _, n := range []int{1, 3, 300} {
		cp := aCheckpoint(t, n)
		var got flags.Checkpoint
		if err := got.UnmarshalBinary(marshal(t, cp)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(&got, cp) {
			t.Errorf("%d flags: not what was written", n)
		}
	}
	empty := &flags.Checkpoint{Head: flags.Head{Set: "s"}, Entries: []flags.Entry{}}
	var got flags.Checkpoint
	if err := got.UnmarshalBinary(marshal(t, empty)); err != nil || !reflect.DeepEqual(&got, empty) {
		t.Errorf("empty: %+v, %v", got, err)
	}
}

func TestHeadRoundTrip(t *testing.T) {
	want := aCommit(false).Head()
	want.Status = flags.StatusDeleted
	var got flags.Head
	if err := got.UnmarshalBinary(marshal(t, want)); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	b := marshal(t, want)
	for i := range b {
		if err := new(flags.Head).UnmarshalBinary(b[:i]); !errors.Is(err, flags.ErrFormat) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	if err := new(flags.Head).UnmarshalBinary(append(b, 0)); !errors.Is(err, flags.ErrFormat) {
		t.Errorf("a byte too many: %v", err)
	}
}

// TestNoDamageIsRead: every truncation and every flipped bit of what is stored
// or sent is refused.
func TestNoDamageIsRead(t *testing.T) {
	for name, tc := range map[string]struct {
		data []byte
		into encoding.BinaryUnmarshaler
	}{
		"plain commit":          {marshal(t, aCommit(false)), new(flags.Commit)},
		"compressed commit":     {marshal(t, aCommit(true)), new(flags.Commit)},
		"plain checkpoint":      {marshal(t, aCheckpoint(t, 1)), new(flags.Checkpoint)},
		"compressed checkpoint": {marshal(t, aCheckpoint(t, 40)), new(flags.Checkpoint)},
	} {
		refused := func(what string, data []byte) {
			if err := tc.into.UnmarshalBinary(data); !errors.Is(err, flags.ErrFormat) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
		for i := range tc.data {
			refused(fmt.Sprintf("cut at %d", i), tc.data[:i])
		}
		for i := range 8 * len(tc.data) {
			tc.data[i/8] ^= 1 << (i % 8)
			refused(fmt.Sprintf("bit %d flipped", i), tc.data)
			tc.data[i/8] ^= 1 << (i % 8)
		}
		refused("a byte added", append(tc.data, 0))
		if err := tc.into.UnmarshalBinary(tc.data); err != nil {
			t.Errorf("%s: whole again, and refused: %v", name, err)
		}
	}
}

// frame wraps a body as an attacker would who can compute a checksum.
func frame(magic string, encoding byte, length uint64, body []byte) []byte {
	b := append([]byte(magic), 1, encoding)
	b = append(binary.AppendUvarint(b, length), body...)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

func TestForgedFrames(t *testing.T) {
	plain := func(parts ...any) []byte {
		var b []byte
		for _, p := range parts {
			switch v := p.(type) {
			case string:
				b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
			case int:
				b = binary.AppendUvarint(b, uint64(v))
			case []byte:
				b = append(b, v...)
			}
		}
		return b
	}
	const huge = 1 << 62
	head := plain("s", "", 0, 1, 0, make([]byte, 16), 0, 0)
	commitHead := plain(0, "s", "", 0, 1, make([]byte, 16), "", "", "", "", "", 0, 0, 0)
	tail := plain(make([]byte, 16), 0)
	for name, data := range map[string][]byte{
		"empty":                  {},
		"another magic":          frame("HFX", 0, 0, nil),
		"another version":        []byte("HFC\x02\x00\x00abcd"),
		"unknown encoding":       frame("HFC", 7, 0, nil),
		"length beyond limit":    frame("HFC", 0, huge, nil),
		"length of another body": frame("HFC", 0, 3, []byte("ab")),
		"no length":              frame("HFC", 0, 0, nil)[:9],
		"bomb":                   frame("HFC", 1, 256<<20, []byte{1, 0, 0, 0xff, 0xff}),
		"not deflate":            frame("HFC", 1, 5, []byte("\xff\xff\xff\xff")),
		"longer than it says":    frame("HFC", 1, 1, []byte{1, 2, 0, 0xfd, 0xff, 'a', 'b'}),
		"long string":            frame("HFC", 0, 10, plain(0, huge)),
		"forged conditions":      frame("HFC", 0, uint64(len(commitHead)+9), plain(commitHead, huge)),
		"forged changes":         frame("HFC", 0, uint64(len(commitHead)+10), plain(commitHead, 0, huge)),
		"forged entries":         frame("HFK", 0, uint64(len(head)+9), plain(head, huge)),
		"unknown op":             framed("HFC", plain(9, commitHead[1:], 0, 0, tail)),
		"unknown kind":           framed("HFC", plain(commitHead, 0, 1, 9, "x", "", 0, tail)),
		"neither put nor delete": framed("HFC", plain(commitHead, 0, 1, 1, "x", "", 2, tail)),
		"unknown status":         framed("HFK", plain("s", "", 0, 1, 9, make([]byte, 16), 0, 0, 0)),
		"count beyond int":       framed("HFC", append(plain(commitHead, 0, 0, make([]byte, 16)), binary.AppendUvarint(nil, math.MaxUint64)...)),
		"bytes left over":        framed("HFC", plain(commitHead, 0, 0, tail, 1)),
	} {
		for _, into := range []encoding.BinaryUnmarshaler{new(flags.Commit), new(flags.Checkpoint)} {
			if err := into.UnmarshalBinary(data); !errors.Is(err, flags.ErrFormat) {
				t.Errorf("%s into %T: %v", name, into, err)
			}
		}
	}
	if err := new(flags.Commit).UnmarshalBinary(framed("HFC", plain(commitHead, 0, 0, tail))); err != nil {
		t.Errorf("the frame that the forgeries vary is itself good: %v", err)
	}
}

func framed(magic string, body []byte) []byte { return frame(magic, 0, uint64(len(body)), body) }

func TestForgedLengthAllocatesLittle(t *testing.T) {
	const elements = 4 << 20
	zeros := make([]byte, elements) // decoded, each would take some 70 bytes
	list := binary.AppendUvarint(make([]byte, 29), elements)
	for name, tc := range map[string]struct {
		into encoding.BinaryUnmarshaler
		data []byte
	}{
		"a megabyte that claims to be 200": {new(flags.Commit), frame("HFC", 1, 200<<20, make([]byte, 1<<20))},
		"a list of empty conditions":       {new(flags.Commit), framed("HFC", append(list, zeros...))},
		"a list of empty changes":          {new(flags.Commit), framed("HFC", append(append([]byte{0}, list...), zeros...))},
		"a list of empty entries":          {new(flags.Checkpoint), framed("HFK", append(binary.AppendUvarint(make([]byte, 23), elements), zeros...))},
		"more entries than a set has":      {new(flags.Checkpoint), framed("HFK", append(binary.AppendUvarint(make([]byte, 23), elements), bytes.Repeat([]byte{1, 0, 0, 0, 0}, elements)...))},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := tc.into.UnmarshalBinary(tc.data); !errors.Is(err, flags.ErrFormat) {
			t.Fatalf("%s: %v", name, err)
		}
		runtime.ReadMemStats(&after)
		if size := after.TotalAlloc - before.TotalAlloc; size > 64<<20 {
			t.Errorf("%s made us allocate %d bytes", name, size)
		}
	}
}

func TestTooLarge(t *testing.T) {
	noise := make([]byte, flags.MaxCommitBytes)
	for i, x := 0, uint32(1); i < len(noise); i++ { // does not compress
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	c := &flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("f"), Bytes: noise}}}
	if _, err := c.MarshalBinary(); !errors.Is(err, flags.ErrTooLarge) || !strings.Contains(err.Error(), "split it") {
		t.Errorf("a commit of 8 MiB and more: %v", err)
	}
	for name, long := range map[string]encoding.BinaryMarshaler{
		"changes":    &flags.Commit{Changes: make([]flags.Mutation, 4*flags.MaxEntries+1)},
		"conditions": &flags.Commit{Conditions: make([]flags.Condition, 4*flags.MaxEntries+1)},
		"entries":    &flags.Checkpoint{Entries: make([]flags.Entry, 4*flags.MaxEntries+1)},
	} {
		if _, err := long.MarshalBinary(); !errors.Is(err, flags.ErrTooLarge) {
			t.Errorf("more %s than can be read again: %v", name, err)
		}
	}
	if err := c.UnmarshalBinary(make([]byte, flags.MaxCommitBytes+1)); !errors.Is(err, flags.ErrTooLarge) {
		t.Errorf("reading one: %v", err)
	}
	if err := new(flags.Checkpoint).UnmarshalBinary(make([]byte, flags.MaxCheckpointBytes+1)); !errors.Is(err, flags.ErrTooLarge) {
		t.Errorf("reading a checkpoint of 64 MiB and more: %v", err)
	}
}

func TestCheckpointVerify(t *testing.T) {
	for _, tc := range []struct {
		name  string
		spoil func(cp *flags.Checkpoint)
		want  error
	}{
		{"an entry is missing", func(cp *flags.Checkpoint) { cp.Entries = cp.Entries[1:] }, flags.ErrDigest},
		{"no entries", func(cp *flags.Checkpoint) { cp.Entries = nil }, flags.ErrDigest},
		{"other bytes", func(cp *flags.Checkpoint) { cp.Entries[0].Bytes = []byte(`{}`) }, flags.ErrDigest},
		{"another name", func(cp *flags.Checkpoint) { cp.Entries[0].Key.Name = "a" }, flags.ErrDigest},
		{"another count", func(cp *flags.Checkpoint) { cp.Count++ }, flags.ErrDigest},
		{"another digest", func(cp *flags.Checkpoint) { cp.Digest = flags.Digest{} }, flags.ErrDigest},
		{"out of order", func(cp *flags.Checkpoint) { cp.Entries[0], cp.Entries[1] = cp.Entries[1], cp.Entries[0] }, flags.ErrFormat},
		{"twice the same", func(cp *flags.Checkpoint) { cp.Entries[1] = cp.Entries[0] }, flags.ErrFormat},
	} {
		cp := aCheckpoint(t, 3)
		if err := cp.Verify(); err != nil {
			t.Fatal(err)
		}
		tc.spoil(cp)
		if err := cp.Verify(); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", tc.name, err)
		}
		if err := new(flags.Checkpoint).UnmarshalBinary(marshal(t, cp)); !errors.Is(err, tc.want) {
			t.Errorf("%s, encoded: %v", tc.name, err)
		}
	}
}

// FuzzCommit fuzzes the body inside a good frame: the checksum would hide it.
func FuzzCommit(f *testing.F) {
	for _, c := range []*flags.Commit{aCommit(false), {}, {Op: flags.OpDelete, Set: "s"}} {
		b := marshal(f, c)
		f.Add(b[6:len(b)-4], b)
	}
	f.Fuzz(func(t *testing.T, body, raw []byte) {
		for _, data := range [][]byte{framed("HFC", body), frame("HFC", 1, uint64(4*len(body)), body), raw} {
			var c, again flags.Commit
			if err := c.UnmarshalBinary(data); err != nil {
				if !errors.Is(err, flags.ErrFormat) && !errors.Is(err, flags.ErrTooLarge) {
					t.Fatalf("an error of its own kind: %v", err)
				}
				continue
			}
			if err := again.UnmarshalBinary(marshal(t, &c)); err != nil || !reflect.DeepEqual(c, again) {
				t.Fatalf("%v\n%+v\n%+v", err, c, again)
			}
		}
	})
}

// FuzzCheckpoint fuzzes the body inside a good frame.
func FuzzCheckpoint(f *testing.F) {
	for _, n := range []int{0, 1, 3} {
		b := marshal(f, aCheckpoint(f, n))
		f.Add(b[7:len(b)-4], b)
	}
	f.Fuzz(func(t *testing.T, body, raw []byte) {
		for _, data := range [][]byte{framed("HFK", body), raw} {
			var cp, again flags.Checkpoint
			if err := cp.UnmarshalBinary(data); err != nil {
				if !errors.Is(err, flags.ErrFormat) && !errors.Is(err, flags.ErrTooLarge) && !errors.Is(err, flags.ErrDigest) {
					t.Fatalf("an error of its own kind: %v", err)
				}
				continue
			}
			if err := again.UnmarshalBinary(marshal(t, &cp)); err != nil || !reflect.DeepEqual(cp, again) {
				t.Fatalf("%v\n%+v\n%+v", err, cp, again)
			}
		}
	})
}

package rediscache

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// seeds are the stored parts of a set with two versions.
func seeds(f *testing.F) (head, checkpoint, member []byte) {
	f.Helper()
	contents := flags.NewContents("shop")
	for _, op := range []flags.Op{flags.OpCreate, flags.OpChange} {
		c := flags.Commit{Op: op, Changes: []flags.Mutation{{Key: flags.FlagKey(op.String()), Bytes: []byte(`{"state":"ENABLED"}`)}}}
		before := contents.Head().Digest
		if err := contents.Seal(&c); err != nil {
			f.Fatal(err)
		}
		if op == flags.OpChange {
			checkpoint, _ = contents.Checkpoint().MarshalBinary()
			data, err := c.MarshalBinary()
			if err != nil {
				f.Fatal(err)
			}
			member = append(append([]byte(revisionText(c.Revision)), before.Bytes()...), data...)
		}
		if err := contents.Apply(&c); err != nil {
			f.Fatal(err)
		}
	}
	head, _ = contents.Head().MarshalBinary()
	return head, checkpoint, member
}

// Whatever Redis returns, it is a set that adds up to its head, or an error.
func FuzzStored(f *testing.F) {
	head, checkpoint, member := seeds(f)
	f.Add(head, checkpoint, member, "1700000000000000", "1700000060000000", "6000000", "1")
	f.Add(head, checkpoint, []byte{}, "0", "0", "0", "")
	f.Add(head, []byte{}, member, "-1", "9223372036854775807", "-1", "2")
	f.Add([]byte{}, checkpoint, member, "", "x", "", "one")
	f.Fuzz(func(t *testing.T, head, checkpoint, member []byte, asOf, end, margin, format string) {
		s, err := parseEntry("shop", []any{string(head), asOf, end, margin, format, string(checkpoint)})
		if err != nil {
			if !errors.Is(err, cachestrategy.ErrDamaged) && !errors.Is(err, cachestrategy.ErrNewerFormat) && !errors.Is(err, cachestrategy.ErrMiss) {
				t.Fatalf("parseEntry: %v", err)
			}
			return
		}
		if e := s.entry(); e.TTL() < 0 || e.Margin < 0 || e.Margin > e.TTL() {
			t.Fatalf("a lifetime of %v, from %s to %s", e.TTL(), asOf, end)
		}
		s.tail = []string{string(member)}
		cp, commits, err := s.whole()
		if err != nil {
			if !errors.Is(err, cachestrategy.ErrDamaged) {
				t.Fatalf("whole: %v", err)
			}
			return
		}
		contents := flags.ContentsOf(cp)
		for i := range commits {
			if err := contents.Apply(&commits[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := contents.Checkpoint().Verify(); err != nil || !cachestrategy.SameHead(contents.Head(), s.head) {
			t.Fatalf("it adds up to %v, the head says %v (%v)", contents.Head(), s.head, err)
		}
	})
}

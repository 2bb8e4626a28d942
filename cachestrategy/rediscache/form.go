package rediscache

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// revisionText is a revision as it begins the members of a tail: in the order of
// bytes they are in the order of revisions.
func revisionText(r uint64) string { return fmt.Sprintf("%020d", r) }

func versionText(v flags.Version) string { return revisionText(v.Epoch) + revisionText(v.Revision) }

const (
	revisionDigits = 20
	digestBytes    = 16
	maxInstant     = 1 << 52 // microseconds, in the year 2112: durations from there fit
)

// tailFrom is the lower bound of the members after a revision.
func tailFrom(r uint64) string {
	if r == math.MaxUint64 {
		return "+"
	}
	return "[" + revisionText(r+1)
}

// stored is what Redis returned of a set, decoded only as far as is needed.
type stored struct {
	head       flags.Head
	asOf, end  int64 // microseconds of the wall clock
	checkpoint string
	tail       []string
}

// parseEntry reads the fields head, asof, end and maybe cp. The error wraps
// ErrMiss or ErrDamaged.
func parseEntry(set string, fields []any) (stored, error) {
	var s stored
	var text [4]string
	missing := 0
	for i, f := range fields {
		var ok bool
		if text[i], ok = f.(string); !ok {
			missing++
		}
	}
	if missing == len(fields) {
		return s, cachestrategy.ErrMiss
	}
	if missing > 0 {
		return s, fmt.Errorf("%w: fields are missing", cachestrategy.ErrDamaged)
	}
	if err := s.head.UnmarshalBinary([]byte(text[0])); err != nil {
		return s, fmt.Errorf("%w: %w", cachestrategy.ErrDamaged, err)
	}
	var errAsOf, errEnd error
	s.asOf, errAsOf = strconv.ParseInt(text[1], 10, 64)
	s.end, errEnd = strconv.ParseInt(text[2], 10, 64)
	if errAsOf != nil || errEnd != nil || s.asOf < 0 || s.end < s.asOf || s.end > maxInstant || s.head.Set != set {
		return s, fmt.Errorf("%w: it says set %q, as of %.20q until %.20q", cachestrategy.ErrDamaged, s.head.Set, text[1], text[2])
	}
	s.checkpoint = text[3]
	return s, nil
}

// entry returns the head and the instants. Another machine's clock may be ahead of
// ours; the entry is no younger than now for that.
func (s *stored) entry() cachestrategy.Entry {
	now := time.Now()
	age := max(0, time.Duration(now.UnixMicro()-s.asOf)*time.Microsecond)
	asOf := now.Add(-age)
	return cachestrategy.Entry{
		Update:    flags.Update{Head: s.head, AsOf: asOf},
		ExpiresAt: asOf.Add(time.Duration(s.end-s.asOf) * time.Microsecond),
	}
}

// commits decodes the tail that leads on from a head. It is ok only if it does so
// densely and ends at the stored head. A tail may be newer than the head it was
// read with; what is beyond is left out.
func (s *stored) commits(from flags.Head) (commits []flags.Commit, ok bool) {
	at := from
	for _, member := range s.tail {
		if at.Version == s.head.Version {
			break
		}
		text, rest := cut(member, revisionDigits)
		digest, data := cut(rest, digestBytes)
		if text <= revisionText(from.Revision) {
			continue
		}
		if digest != string(at.Digest.Bytes()) {
			return nil, false
		}
		var c flags.Commit
		if err := c.UnmarshalBinary([]byte(data)); err != nil {
			return nil, false
		}
		next, err := at.NextVersion(c.Op)
		if err != nil || next != c.Version || c.Set != at.Set || c.Lineage != at.Lineage || revisionText(c.Revision) != text {
			return nil, false
		}
		commits = append(commits, c)
		at = c.Head()
	}
	return commits, cachestrategy.SameHead(at, s.head)
}

func cut(s string, n int) (before, after string) {
	n = min(n, len(s))
	return s[:n], s[n:]
}

// whole decodes checkpoint and tail, and checks that they add up to the head.
func (s *stored) whole() (*flags.Checkpoint, []flags.Commit, error) {
	cp := &flags.Checkpoint{}
	if err := cp.UnmarshalBinary([]byte(s.checkpoint)); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", cachestrategy.ErrDamaged, err)
	}
	commits, ok := s.commits(cp.Head)
	if !ok {
		return nil, nil, fmt.Errorf("%w: %d commits do not lead from %s to %s",
			cachestrategy.ErrDamaged, len(s.tail), cp.Token(), s.head.Token())
	}
	if len(commits) == 0 {
		return cp, nil, nil
	}
	contents := flags.ContentsOf(cp)
	for i := range commits {
		if err := contents.Apply(&commits[i]); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", cachestrategy.ErrDamaged, err)
		}
	}
	return cp, commits, nil
}

// keyNames returns the keys of a set in the order of the script.
func keyNames(prefix, set string) [3]string {
	base := strings.Join([]string{prefix, "v1", "{" + set + "}", ""}, ":")
	return [3]string{base + "entry", base + "tail", base + "mark"}
}

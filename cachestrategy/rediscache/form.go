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

	// format is that of entries. One that old readers could not read takes keys of its
	// own; this is for those that must not be touched.
	format = 1
)

// The fields of an entry that readers ask for, in the order of parseEntry. The last
// three may be missing: early entries have no margin and no format, heads alone no cp.
var (
	headFields  = []string{"head", "asof", "end", "margin", "format"}
	wholeFields = append(headFields[:len(headFields):len(headFields)], "cp")
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
	margin     int64
	checkpoint string
	tail       []string
}

// parseEntry reads the fields of headFields or wholeFields. The error wraps ErrMiss,
// ErrDamaged or ErrNewerFormat.
func parseEntry(set string, fields []any) (stored, error) {
	const needed = 3 // head, asof, end
	var s stored
	var text [6]string
	missing := 0
	for i, f := range fields {
		var ok bool
		if text[i], ok = f.(string); !ok && (i < needed || i == len(text)-1) {
			missing++
		}
	}
	if v, err := strconv.ParseUint(text[4], 10, 32); text[4] != "" && (err != nil || v != format) {
		if v > format {
			return s, fmt.Errorf("%w: format %d, this version reads %d", cachestrategy.ErrNewerFormat, v, format)
		}
		return s, fmt.Errorf("%w: format %.20q", cachestrategy.ErrDamaged, text[4])
	}
	if missing > 0 {
		if text == [6]string{} {
			return s, cachestrategy.ErrMiss
		}
		return s, fmt.Errorf("%w: fields are missing", cachestrategy.ErrDamaged)
	}
	if err := s.head.UnmarshalBinary([]byte(text[0])); err != nil {
		return s, fmt.Errorf("%w: %w", cachestrategy.ErrDamaged, err)
	}
	if err := s.parseInstants(text[1], text[2], text[3]); err != nil {
		return s, err
	}
	if s.head.Set != set {
		return s, fmt.Errorf("%w: it is of set %q", cachestrategy.ErrDamaged, s.head.Set)
	}
	s.checkpoint = text[5]
	return s, nil
}

func (s *stored) parseInstants(asOf, end, margin string) error {
	var errAsOf, errEnd, errMargin error
	s.asOf, errAsOf = strconv.ParseInt(asOf, 10, 64)
	s.end, errEnd = strconv.ParseInt(end, 10, 64)
	s.margin = cachestrategy.Margin(time.Duration(s.end-s.asOf)*time.Microsecond, cachestrategy.DefaultMargin).Microseconds()
	if margin != "" {
		s.margin, errMargin = strconv.ParseInt(margin, 10, 64)
	}
	if errAsOf != nil || errEnd != nil || errMargin != nil ||
		s.asOf < 0 || s.end < s.asOf || s.end > maxInstant || s.margin < 0 || s.margin > s.end-s.asOf {
		return fmt.Errorf("%w: as of %.20q until %.20q with a margin of %.20q", cachestrategy.ErrDamaged, asOf, end, margin)
	}
	return nil
}

// entry returns the head and the instants, which have no part in the future.
func (s *stored) entry() cachestrategy.Entry {
	asOf := time.Now().Add(-cachestrategy.AgeOf(time.UnixMicro(s.asOf)))
	return cachestrategy.Entry{
		Update:    flags.Update{Head: s.head, AsOf: asOf},
		ExpiresAt: asOf.Add(time.Duration(s.end-s.asOf) * time.Microsecond),
		Margin:    time.Duration(s.margin) * time.Microsecond,
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

func keyBase(prefix, set string) string {
	return strings.Join([]string{prefix, "v1", "{" + set + "}", ""}, ":")
}

func leaseKey(prefix, set string) string { return keyBase(prefix, set) + "lease" }

// keyNames returns the keys of a set in the order of the script.
func keyNames(prefix, set string) [3]string {
	base := keyBase(prefix, set)
	return [3]string{base + "entry", base + "tail", base + "mark"}
}

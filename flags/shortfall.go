package flags

import (
	"fmt"
	"time"
)

// shortfall is the demand of a read that could not be met. Its text is made only
// for whoever asks. It wraps ErrNotFresh.
type shortfall struct {
	what       missing
	want, held Token
	bound      time.Duration
}

// missing is what a read wanted.
type missing uint8

const (
	missingVersion missing = iota // that of a token
	missingLineage                // the same, of a history that this process does not follow
	missingWord                   // the primary's, that this is the newest
	missingAge                    // one below the bound
	missingSet                    // any at all
	missingKinds
)

func (m missing) String() string {
	return [...]string{"version", "another lineage", "the primary's word", "age", "set", ""}[m]
}

// behind is the shortfall of p before t.
func (p *published) behind(t Token) *shortfall {
	s := &shortfall{what: missingVersion, want: t, held: View{p}.Token()}
	if !compatible(t.Lineage, s.held.Lineage) {
		s.what = missingLineage
	}
	return s
}

func (s *shortfall) Error() string {
	switch s.what {
	case missingVersion:
		return fmt.Sprintf("%v: %s is demanded, %s is held", ErrNotFresh, s.want, orNothing(s.held))
	case missingLineage:
		return fmt.Sprintf("%v: %s is demanded, which is of another history than %s", ErrNotFresh, s.want, s.held)
	case missingWord:
		return fmt.Sprintf("%v: the primary did not confirm %s", ErrNotFresh, orNothing(s.held))
	case missingAge:
		return fmt.Sprintf("%v: last confirmed longer ago than %v", ErrNotFresh, s.bound)
	default:
		return fmt.Sprintf("%v: no flag set is held yet", ErrNotFresh)
	}
}

func (s *shortfall) Unwrap() error { return ErrNotFresh }

func orNothing(t Token) string {
	if t == (Token{}) {
		return "nothing"
	}
	return t.String()
}

// short returns p as the answer to a read that wanted more; strict: with nothing to
// answer from. What is only old is stale; all else is not fresh.
func (p *published) short(miss *shortfall, strict bool) *published {
	q := *p
	q.miss = miss
	q.freshness = FreshnessNotFresh
	if miss.what == missingAge {
		q.freshness = max(FreshnessStale, p.freshness)
	}
	if strict {
		q.snap = nil
	}
	return &q
}

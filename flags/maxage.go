package flags

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// MetadataMaxAge is the key of a flag's metadata that bounds its age: once the set was
// last confirmed longer ago than that, this flag alone is reported stale. "300s", or a number of
// seconds: whole seconds, 1 s to a year. It is checked when it is written; a set that
// is held already and says it wrongly has no bound.
const MetadataMaxAge = "maxAge"

// Whole seconds, so that a set of ten thousand bounds still changes what is published
// once a second at most.
const (
	minMaxAge = time.Second
	maxMaxAge = 365 * 24 * time.Hour
)

// ParseMaxAge reads the value of MetadataMaxAge. The error wraps ErrInvalid.
func ParseMaxAge(v Value) (time.Duration, error) {
	age := durationOf(v, maxMaxAge)
	if age < minMaxAge || age > maxMaxAge || age%time.Second != 0 {
		return 0, fmt.Errorf("%w %s %s: want whole seconds, %v to %v, such as 300 or \"5m\"", ErrInvalid, MetadataMaxAge, v, minMaxAge, maxMaxAge)
	}
	return age, nil
}

// maxAge checks the bound in the metadata of a flag that is written.
func (ch *checker) maxAge(it item, n *node, path string) {
	v, err := ParseValue(n.canonical())
	if err == nil {
		_, err = ParseMaxAge(v)
	}
	if err != nil {
		ch.fail(it, n, path, "%v", err)
	}
}

// maxAgeOf returns the bound that a flag's metadata say, or zero.
func maxAgeOf(metadata jsonlogic.Value) time.Duration {
	v, ok := metadata.Get(MetadataMaxAge)
	if !ok {
		return 0
	}
	age, _ := ParseMaxAge(Value{v})
	return age
}

// maxAges counts the flags of a snapshot for each bound there is, shortest first.
// It is how the keeper knows when to publish next; reads compare the bound of the flag itself.
type maxAges []maxAgeCount

type maxAgeCount struct {
	age   time.Duration
	flags int
}

// moved returns the counts after a flag's bound has changed. It changes m in place.
func (m maxAges) moved(from, to time.Duration) maxAges {
	if from == to {
		return m
	}
	return m.add(from, -1).add(to, 1)
}

func (m maxAges) add(age time.Duration, n int) maxAges {
	if age == 0 {
		return m
	}
	i, found := slices.BinarySearchFunc(m, age, func(c maxAgeCount, age time.Duration) int { return cmp.Compare(c.age, age) })
	if !found {
		return slices.Insert(m, i, maxAgeCount{age, n})
	}
	if m[i].flags += n; m[i].flags == 0 {
		return slices.Delete(m, i, i+1)
	}
	return m
}

// after returns the shortest bound beyond an age, or false.
func (m maxAges) after(age time.Duration) (time.Duration, bool) {
	i, _ := slices.BinarySearchFunc(m, age+1, func(c maxAgeCount, age time.Duration) int { return cmp.Compare(c.age, age) })
	if i == len(m) {
		return 0, false
	}
	return m[i].age, true
}

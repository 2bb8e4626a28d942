package adminweb

import "time"

// Health is how the router does, besides its sets.
type Health struct {
	Store string // kind
	// Upstream is how the upstream of a relay does: ok, or what is wrong. Empty: there is none.
	Upstream string
	Version  string // of the router
	Started  time.Time
	Mirrors  []Place
	Caches   []Place
	// Webhooks are their receivers, by scheme, host and a few digits.
	Webhooks []Place
	Large    []Large
}

// Large is a set whose definition is too large for sync clients that were not told
// to take more.
type Large struct {
	Set          string
	Bytes, Limit int // of what they are sent, and of what they take
}

// large returns what is to be said of the size of a set; nil for nothing.
func (h Health) large(set string) *Large {
	for _, l := range h.Large {
		if l.Set == set {
			return &l
		}
	}
	return nil
}

// Place is how one set fares at a mirror, a cache or a webhook.
type Place struct {
	Name, Set, Revision string
	Lag                 uint64    // revisions
	Error               string    // "" after a success
	Status              int       // of a webhook: the last answer's, of HTTP; 0: none came
	NextTry             time.Time // after a failure
	Gaps                uint64    // of a webhook: times that commits were missing from the journal
}

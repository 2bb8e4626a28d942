package adminweb

import "time"

// Health is how the router does, besides its sets.
type Health struct {
	Store   string // kind
	Version string // of the router
	Started time.Time
	Mirrors []Place
	Caches  []Place
	Large   []Large
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

// Place is how one set fares at a mirror or a cache.
type Place struct {
	Name, Set, Revision string
	Lag                 uint64 // revisions
	Error               string // "" after a success
}

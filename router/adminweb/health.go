package adminweb

import "time"

// Health is how the router does, besides its sets.
type Health struct {
	Store   string // kind
	Version string // of the router
	Started time.Time
	Mirrors []Place
	Caches  []Place
}

// Place is how one set fares at a mirror or a cache.
type Place struct {
	Name, Set, Revision string
	Lag                 uint64 // revisions
	Error               string // "" after a success
}

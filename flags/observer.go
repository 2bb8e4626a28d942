package flags

import "time"

// Observer is told what a client and its layers do, for metrics. Every field may
// be nil. Hooks run on the client's background goroutines, never on a read; they
// must be fast and safe for concurrent use, and may read flags but not ask the client
// for anything else.
type Observer struct {
	// Answered: a layer was called (op: head, fetch, watch, put), with what came of it.
	Answered func(layer, op string, took time.Duration, err error)
	// Installed: reads are now answered from this version, delivered by layer.
	Installed func(layer string, t Token)
	// Unclassified: an error of a layer that its driver has not classified, which is taken for
	// transient. There should be none.
	Unclassified func(layer, op string, err error)
	// Compared: the secondary was looked at while the primary serves: by how many revisions it is
	// behind, and whether it holds something else at the same revision.
	Compared func(layer string, lag uint64, drift bool)
	// Refused: an update was not installed: it was older, of another lineage, or did not add up.
	Refused func(layer string, err error)
	// Freshness: what reads report has changed.
	Freshness func(f Freshness)
	// Tripped: a layer's breaker opened for cooldown, after failures in a row of which cause is the last.
	Tripped func(layer string, failures int, cause error, cooldown time.Duration)
	// Recovered: a layer's breaker closed again.
	Recovered func(layer string, openFor time.Duration)
}

package flags

import "time"

// MaxAges returns how many flags of a snapshot have which bound.
func MaxAges(s *Snapshot) map[time.Duration]int {
	ages := map[time.Duration]int{}
	for _, c := range s.maxAges {
		ages[c.age] = c.flags
	}
	return ages
}

// StaticDespiteOverrides returns the snapshot as it would be compiled without the guard that a
// flag with overrides answers nobody at the first look.
func StaticDespiteOverrides(s *Snapshot) *Snapshot {
	s = NewSnapshot(s.Checkpoint())
	for _, n := range s.flags.all() {
		if n.mode == modeStatic {
			n.fixed = n.standard
		}
	}
	return s
}

// The guards of a client, switched off one at a time by the twins of tests.

// WithoutVersionGuard installs older versions too.
func WithoutVersionGuard(o Options) Options { o.guards.Version = true; return o }

// WithoutLineageGuard installs other lineages too.
func WithoutLineageGuard(o Options) Options { o.guards.Lineage = true; return o }

// WithoutStreamGuard takes an opened stream for a success.
func WithoutStreamGuard(o Options) Options { o.guards.Stream = true; return o }

// WithoutDigestGuard installs what does not add up.
func WithoutDigestGuard(o Options) Options { o.guards.Digest = true; return o }

// WithoutTokenGuard does not look at what is demanded.
func WithoutTokenGuard(o Options) Options { o.guards.Token = true; return o }

// WithoutFreshGuard takes what is held for fresh.
func WithoutFreshGuard(o Options) Options { o.guards.Fresh = true; return o }

// WithoutPinGuard reads past pins.
func WithoutPinGuard(o Options) Options { o.guards.Pin = true; return o }

// WithoutPaceGuard asks for a token as often as it comes.
func WithoutPaceGuard(o Options) Options { o.guards.Pace = true; return o }

// WithoutAgainGuard lets each read of a request wait anew.
func WithoutAgainGuard(o Options) Options { o.guards.Again = true; return o }

// WithoutAgeGuard counts ages from when something arrives.
func WithoutAgeGuard(o Options) Options { o.guards.Age = true; return o }

// WithoutBelowGuard lets reads ask the secondary where the primary cannot answer them.
func WithoutBelowGuard(o Options) Options { o.guards.Below = true; return o }

// WithoutSpreadGuard lets every process come back to the primary at once.
func WithoutSpreadGuard(o Options) Options { o.guards.Spread = true; return o }

// WithoutSetGuard takes an answered head for a success, whatever follows it.
func WithoutSetGuard(o Options) Options { o.guards.Set = true; return o }

package breaker

import "time"

// Options configures a [Breaker]. The zero value is ready for production; negative numbers mean the default too,
// except for Jitter.
type Options struct {
	Name        string        // names the dependency in errors and callbacks; default "dependency"
	Failures    int           // failures in a row that open the breaker; default 4
	Cooldown    time.Duration // time open after the first trip, doubled by each failed probe; default 15 s
	MaxCooldown time.Duration // upper end of the doubling, before jitter; default 60 s, never below Cooldown
	Jitter      float64       // random share added to each cooldown, at most 1; default 0.1, negative for none
	ProbeBudget time.Duration // bounds a probe whose caller passed no budget; default 5 s
	Classify    Classifier    // outcome of an error; default: every error is a Failure

	// OnTrip and OnClose are told of each transition, outside every lock, once and in order, on the goroutine of a
	// call. A slow callback delays that call only; one that panics takes it down. They may use the breaker.
	OnTrip  func(Trip)
	OnClose func(Closing)

	sabotage sabotage
}

// Trip describes a transition to open: the first one, or that of a failed probe.
type Trip struct {
	Name     string
	Err      error         // the failure that opened it
	Failures int           // failures in a row, failed probes included
	Cooldown time.Duration // how long nothing is sent from now on, jitter included
	Probe    bool          // true if it was open already and its probe failed
}

// Closing describes a transition to closed.
type Closing struct {
	Name    string
	OpenFor time.Duration // since the trip that began this outage
	Probes  int           // probes it took, the good one included, those that were Ignored not
}

// sabotage switches single guards off, so that a test can show that it would notice their absence.
type sabotage struct {
	countCallers bool   // classify the errors of callers that left like any other
	noGate       bool   // leave the cooldown to gobreaker alone
	keepSlot     bool   // hold the probe's slot until its function returns
	probes       uint32 // slots of the half-open state
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "dependency"
	}
	if o.Failures <= 0 {
		o.Failures = 4
	}
	if o.Cooldown <= 0 {
		o.Cooldown = 15 * time.Second
	}
	if o.MaxCooldown <= 0 {
		o.MaxCooldown = 60 * time.Second
	}
	o.MaxCooldown = max(o.MaxCooldown, o.Cooldown)
	switch {
	case o.Jitter == 0:
		o.Jitter = 0.1
	case o.Jitter < 0:
		o.Jitter = 0
	}
	o.Jitter = min(o.Jitter, 1)
	if o.ProbeBudget <= 0 {
		o.ProbeBudget = 5 * time.Second
	}
	if o.sabotage.probes == 0 {
		o.sabotage.probes = 1
	}
	return o
}

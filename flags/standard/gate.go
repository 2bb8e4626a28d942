package standard

import (
	"context"
	"errors"
	"time"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// gate is a breaker as flags.Client wants it.
type gate struct {
	*breaker.Breaker
	reconnect func() // called before a probe; nil: nothing to do
}

// State says what the breaker would do with a call.
func (g gate) State() (flags.GateState, time.Duration) {
	return flags.GateState(g.Breaker.State()), g.RetryAfter()
}

// Run makes a probe meet the server itself and not the pause that the transport took
// between its own attempts: a good server found "still down" would cost a doubled cooldown.
func (g gate) Run(ctx context.Context, budget time.Duration, fn func(context.Context) error) error {
	if g.reconnect != nil && g.Breaker.State() == breaker.HalfOpen {
		g.reconnect()
	}
	return g.Breaker.Run(ctx, budget, fn)
}

// newGate returns the gate of one layer. Trips and recoveries are logged and observed.
func (c *Config) newGate(layer string, d driver) gate {
	return gate{reconnect: d.reconnect, Breaker: breaker.New(breaker.Options{
		Name:     layer,
		Failures: c.Breaker.Failures, Cooldown: c.Breaker.Cooldown, MaxCooldown: c.Breaker.MaxCooldown,
		Classify: classify,
		OnTrip: func(t breaker.Trip) {
			c.Logger.Error("flags: layer cannot serve, its breaker is open", "set", c.Set, "layer", layer, "at", d.redacted,
				"failures", t.Failures, "cause", t.Err, "cooldown", t.Cooldown.Round(time.Millisecond))
			if c.Observer.Tripped != nil {
				c.Observer.Tripped(layer, t.Failures, t.Err, t.Cooldown)
			}
		},
		OnClose: func(t breaker.Closing) {
			c.Logger.Info("flags: layer serves again, its breaker is closed", "set", c.Set, "layer", layer, "at", d.redacted,
				"open", t.OpenFor.Round(time.Millisecond), "probes", t.Probes)
			if c.Observer.Recovered != nil {
				c.Observer.Recovered(layer, t.OpenFor)
			}
		},
	})}
}

// classify turns the class that a driver gave an error into what a breaker counts.
// A cache that answers "I have nothing" is in good health.
func classify(err error) breaker.Outcome {
	switch class := flags.ClassOf(err); {
	case class == flags.ClassNotFound, errors.Is(err, cachestrategy.ErrMiss):
		return breaker.Success
	case class == flags.ClassTransient:
		return breaker.Failure
	default:
		return breaker.Ignored
	}
}

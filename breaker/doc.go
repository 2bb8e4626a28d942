// Package breaker guards calls to one dependency with a circuit breaker that never lets the caller's own haste look
// like an outage.
//
// Inside is gobreaker/v2; outside is a contract made for reading from several layers:
//
//   - Every outcome is one of three. [Success] ends a run of failures, [Failure] extends it, [Ignored] changes
//     nothing. A call whose own caller went away, or that was refused by a breaker further down, is always Ignored,
//     whatever its error says.
//   - Four failures in a row open the breaker (all numbers are options). While it is open nothing is sent and
//     [ErrOpen] comes back at once. After 15 s exactly one call is let through as a probe. A failed probe opens it for
//     30 s, then 60 s, and 60 s from then on; a good one closes it. Jitter only ever lengthens a cooldown.
//   - A probe cannot wedge the breaker: if its budget ends, if it panics, or if its goroutine exits, its slot is free
//     again. A probe that turns out Ignored gives the slot back and does not lengthen the cooldown.
//   - Callbacks run outside every lock, once per transition, in order.
//
// # One gate for calls and streams
//
// [Do] and [Breaker.Run] guard calls that start and end. A long-lived stream shares the same breaker with three rules:
// open it inside [Breaker.RunIfClosed], so that it is never the probe and its context outlives the call; give
// [Breaker.Report] the error it was lost with, so that a lost stream is one failure however many messages it carried;
// and while [Breaker.State] is not [Closed], probe with a small read through Do before opening it again.
//
// # Budgets
//
// A budget is the time the dependency has to answer. Passing zero means that the driver bounds the call itself, which
// costs no context and no allocation; only a probe is then cut, after [Options.ProbeBudget]. The breaker never
// abandons a call on its own: a function that ignores its context keeps its caller waiting, though not the breaker. Wrap
// such a function with [Detach].
package breaker

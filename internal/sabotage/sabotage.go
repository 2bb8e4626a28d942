// Package sabotage switches single guards of a client off, so that a test of the whole
// chain can show that it would notice their absence. What is switched off travels in the
// context of the constructor, which leaves no trace in any public interface.
package sabotage

import "context"

// Guards of a client. True: switched off.
type Guards struct {
	Version bool // older versions are installed too
	Lineage bool // other lineages are installed too
	Digest  bool // whatever is said to add up is installed
	Stream  bool // to the gate, an opened stream is a success
	Token   bool // reads do not look at what their context demands
	Fresh   bool // what is held is fresh enough for a read that wants the primary's word
	Pin     bool // pins hold nothing
	Pace    bool // each token may cost a question of its own
	Again   bool // each read of a request waits anew for what could not be had
	Age     bool // ages begin when something arrives
	Below   bool // reads ask the secondary where the primary cannot answer them
	Spread  bool // every process comes back to the primary at once
	Set     bool // to the gate, an answered head is a success whatever follows it
}

type key struct{}

// Without returns a context whose clients lack the guards.
func Without(ctx context.Context, g Guards) context.Context {
	return context.WithValue(ctx, key{}, g)
}

// From returns what a client that is made with ctx lacks: nothing, outside of tests.
func From(ctx context.Context) Guards {
	g, _ := ctx.Value(key{}).(Guards)
	return g
}

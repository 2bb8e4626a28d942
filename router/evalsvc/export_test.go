package evalsvc

import "github.com/holdfast-flags/holdfast/router/evaluator"

// Heed is what a request does between its look at the set and its answer.
func (s *Service) Heed(call *evaluator.Call) { s.heed(call) }

// The sabotage twins of the tests: each switches one guard off.

func (o Options) Forgetful() Options {
	o.sabotage.forgetful = true
	return o
}

func (o Options) InTurn() Options {
	o.sabotage.inTurn = true
	return o
}

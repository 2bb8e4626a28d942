package evalsvc

// The sabotage twins of the tests: each switches one guard off.

func (o Options) Forgetful() Options {
	o.sabotage.forgetful = true
	return o
}

func (o Options) InTurn() Options {
	o.sabotage.inTurn = true
	return o
}

package breaker

// The sabotage twins of the tests: each switches one guard off.

func (o Options) CountCallers() Options {
	o.sabotage.countCallers = true
	return o
}

func (o Options) NoGate() Options {
	o.sabotage.noGate = true
	return o
}

func (o Options) KeepSlot() Options {
	o.sabotage.keepSlot = true
	return o
}

func (o Options) Slots(n uint32) Options {
	o.sabotage.probes = n
	return o
}

package evaluator

// Unscoped returns opts without the guard that a set is only for whom it is for.
func (o Options) Unscoped() Options {
	o.unscoped = true
	return o
}

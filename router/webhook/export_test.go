package webhook

import "time"

// Early returns options of a hook whose cursors move on before the delivery.
func (o Options) Early() Options {
	o.early = true
	return o
}

// Leased returns options of a hook that has a set to itself for so long.
func (o Options) Leased(d time.Duration) Options {
	o.lease = d
	return o
}

// Twins returns options of a hook that does not care whether another one delivers.
func (o Options) Twins() Options {
	o.twins = true
	return o
}

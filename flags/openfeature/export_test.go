package openfeature

// Lossy returns opts without the guard that no change is dropped while others wait.
func (o Options) Lossy() Options {
	o.lossy = true
	return o
}

package ofrep

// Clients is how many clients the limiter remembers.
func (s *Service) Clients() int { return len(s.limiter.young) + len(s.limiter.old) }

// TagOfSet returns opts without the guard that an answer's tag is made of the answer.
func (o Options) TagOfSet() Options {
	o.tagOfSet = true
	return o
}

package ofrep

// Clients is how many clients the limiter remembers.
func (s *Service) Clients() int { return len(s.limiter.young) + len(s.limiter.old) }

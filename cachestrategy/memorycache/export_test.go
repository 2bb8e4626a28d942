package memorycache

// NewUnguarded returns a cache in which older versions replace newer ones.
func NewUnguarded() *Cache { return New(&Options{unguarded: true}) }

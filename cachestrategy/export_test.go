package cachestrategy

// Credulous returns options with which the far tier is always the newer.
func Credulous() TieredOptions { return TieredOptions{credulous: true} }

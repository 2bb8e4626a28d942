package expression

// ShowUnchecked is Show without its last check.
func ShowUnchecked(rule []byte) (string, bool) {
	term, _, ok := decode(rule)
	if !ok {
		return "", false
	}
	return condition(term, lowest)
}

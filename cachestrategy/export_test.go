package cachestrategy

// Unordered returns a filler without turns.
func Unordered(l *Layer) *Filler {
	f := NewFiller(l)
	f.unordered = true
	return f
}

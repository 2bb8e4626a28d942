package adminweb

// Patterns returns the patterns of all pages and forms.
func Patterns() []string {
	var out []string
	for _, r := range routes() {
		out = append(out, r.pattern)
	}
	return out
}

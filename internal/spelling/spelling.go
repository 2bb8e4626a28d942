// Package spelling finds the name that was meant by one that does not exist.
package spelling

import "strings"

// maxBytes is the longest name that is compared: the work grows with its square.
const maxBytes = 64

// Nearest returns the known name that is at most a third of its letters, and at
// least one, in typing errors away. Of names that are as near, the first is returned.
func Nearest(got string, known []string) (best string, ok bool) {
	if len(got) > maxBytes {
		return "", false
	}
	least := 1 + max(1, len(got)/3)
	for _, name := range known {
		if strings.EqualFold(name, got) {
			return name, true
		}
		if len(name) > maxBytes || min(len(name), len(got)) < 2 {
			continue
		}
		if d := Distance(got, name); d < least {
			least, best, ok = d, name, true
		}
	}
	return best, ok
}

// Distance counts the bytes to insert, delete, replace or swap to get from a to b.
func Distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

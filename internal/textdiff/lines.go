package textdiff

import (
	"bytes"
	"encoding/json"
	"strings"
)

// most is how many lines of either side are compared one by one. Longer values are
// shown as replaced: the work grows with the product of both.
const most = 2000

// Lines shows two JSON values as a line diff of their indented forms: kept lines
// with two spaces in front, others with - and +. Long runs of kept lines are cut
// down to the three around a change. nil and null stand for no value at all.
func Lines(before, after []byte) []string {
	return compared(indented(before), indented(after))
}

// compared is the line diff of two texts.
func compared(a, b []string) []string {
	if len(a) > most || len(b) > most {
		return replaced(a, b)
	}
	// Longest common subsequence; definitions have tens of lines.
	length := make([][]int, len(a)+1)
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var lines []string
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, "  "+a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || length[i+1][j] >= length[i][j+1]):
			lines = append(lines, "- "+a[i])
			i++
		default:
			lines = append(lines, "+ "+b[j])
			j++
		}
	}
	return nearChanges(lines)
}

func replaced(a, b []string) []string {
	var lines []string
	for _, line := range a {
		lines = append(lines, "- "+line)
	}
	for _, line := range b {
		lines = append(lines, "+ "+line)
	}
	return lines
}

func indented(data []byte) []string {
	if data == nil || string(data) == "null" {
		return nil
	}
	var out bytes.Buffer
	if json.Indent(&out, data, "", "  ") != nil {
		return []string{string(data)}
	}
	return strings.Split(out.String(), "\n")
}

func nearChanges(lines []string) []string {
	const around = 3
	keep := make([]bool, len(lines))
	for i, line := range lines {
		if line[0] == ' ' {
			continue
		}
		for k := max(0, i-around); k < min(len(lines), i+around+1); k++ {
			keep[k] = true
		}
	}
	var near []string
	for i, line := range lines {
		switch {
		case keep[i]:
			near = append(near, line)
		case i > 0 && keep[i-1]:
			near = append(near, "  ...")
		}
	}
	return near
}

// Command sum prints the line that a whole run of the tests ends with: how many faults were
// tried, and how many were violations. It exits with 1 if any was, or if a registered cell
// was not tried.
package main

import (
	"fmt"
	"os"

	"github.com/holdfast-flags/holdfast/internal/matrix"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: sum FILE, which a run with "+matrix.TallyEnv+"=FILE has written")
		os.Exit(2)
	}
	f, err := os.Open(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "sum:", err)
		os.Exit(1)
	}
	s, err := matrix.Sum(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sum:", err)
		os.Exit(1)
	}
	fmt.Println(s)
	if !s.OK() {
		os.Exit(1)
	}
}

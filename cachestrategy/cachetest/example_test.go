package cachetest_test

import (
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/cachestrategy/cachetest"
)

// A cache's test is a call of Run with a Harness. What it is held to is listed by
// Cases, whose names are what Harness.Except refers to.
func Example() {
	for _, c := range cachetest.Cases() {
		if strings.HasPrefix(c.Name, "lifetime/") {
			fmt.Println(c.Name)
		}
	}
	// Output:
	// lifetime/a newer version brings its own
	// lifetime/defaults
	// lifetime/margin
	// lifetime/margin not brought forward
	// lifetime/not moved by an older confirmation
	// lifetime/not moved by reads
	// lifetime/not shortened by a shorter one
	// lifetime/of each its own
	// lifetime/renewed by a newer confirmation
}

package storetest_test

import (
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/store/storetest"
)

// A driver's test is a call of Run with a Harness. What it is held to is listed
// by Cases, whose names are what Harness.Except refers to.
func Example() {
	for _, c := range storetest.Cases() {
		if strings.HasPrefix(c.Name, "compaction/") {
			fmt.Println(c.Name)
		}
	}
	// Output:
	// compaction/goes on
	// compaction/is said plainly
	// compaction/keeps the newest
	// compaction/loses no content
	// compaction/tells how far back it reaches
}

// Package matrix is the list of everything that is done to Holdfast on purpose, and of
// what must come of it: one [Cell] for each fault, with the criterion and the
// tests that prove it. docs/failure-matrix.md is made of it (make docs).
//
// To add a cell: put it into the file of its area (cells_*.go), and have its test call
// [Tally] with the cell's id. A run of make test fails if a cell was violated, and if
// one was not tried. What happens in virtual time is most easily said on package
// rig, which has the whole client and its layers in memory:
//
//	func TestRouterRefuses(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			h := rig.New(t, rig.Options{})
//			c := h.Client(rig.ClientOptions{}) // reads all the time; whatever is wrong fails the test
//			h.Primary.Set(rig.Refused)
//			h.Write()
//			c.Await(10*time.Second, "the new value", c.Current)
//			matrix.Tally(t, "F1", 1, 0)
//		})
//	}
//
// The package itself imports nothing of the house, so that a test of any package can
// tally.
package matrix

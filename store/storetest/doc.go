// Package storetest is the contract of package store in executable form: what
// every driver, and every decorator around one, is held to.
//
//	func TestConformance(t *testing.T) {
//		storetest.Run(t, storetest.Harness{
//			New: func(t testing.TB) store.Store { ... },
//		})
//	}
//
// A driver that cannot keep a clause names the case or the whole area in
// [Harness.Except], with the reason; there is no silent skipping.
package storetest

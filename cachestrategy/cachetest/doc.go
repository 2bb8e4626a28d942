// Package cachetest is the contract of cachestrategy.Strategy in executable form:
// what every cache, built in or registered by an application, is held to.
//
//	func TestConformance(t *testing.T) {
//		cachetest.Run(t, cachetest.Harness{
//			New: func(t testing.TB) cachestrategy.Strategy { ... },
//		})
//	}
//
// A cache that cannot keep a clause names the case or the whole area in
// [Harness.Except], with the reason; there is no silent skipping. [Holds] runs one
// case without failing the test, to show that the suite notices a missing guard.
package cachetest

// Package memstore is a store in memory: the reference implementation of package
// store, for tests and for routers that need not remember anything.
//
// It is durable as long as the process lives, and a Replica too.
package memstore

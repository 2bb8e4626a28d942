// Package syncsvc serves flag sets to flagd's in-process providers, and to flagd
// itself, by the protocol flagd.sync.v1: whole definitions, sent again after every change.
package syncsvc

// MaxClientBytes is what gRPC clients take in one message unless they are told
// otherwise. A larger set is served all the same, to those that were.
const MaxClientBytes = 4 << 20

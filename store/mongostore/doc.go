// Package mongostore keeps flag sets in a database that speaks MongoDB's
// protocol: as a store that many routers write to, as a mirror that a router
// keeps current, and as the secondary that clients read when no router answers.
//
// It asks little of the server: unique _id, atomic updates of one document and
// majority writes. There are no transactions, no change streams, no retryable
// writes and no indexes besides _id.
//
// # Collections
//
//   - heads: one document a set, with the newest acknowledged head. It only rises.
//   - journal: one document a commit, with the _id set/epoch/revision. Inserting
//     it is the compare-and-append. It holds the commits since the last but one
//     checkpoint; older ones are in segments.
//   - checkpoints: the whole set now and then, so that no reader has to go
//     through more than some hundred commits.
//   - segments: older commits, packed, until they are compacted.
//
// Checkpoints and segments are immutable. What they hold lies in documents of at
// most 4 MiB in checkpoints.chunks and segments.chunks; their own document is
// inserted last, so that one which can be found is whole.
//
// A commit is acknowledged after it was inserted and the head was raised to it.
// A writer may die between the two; whoever finds its place taken raises the
// head itself and rebases. Readers go by the head: the newest checkpoint, then
// the journal up to the head. All that is put together is checked against its
// digests, and what does not come out is passed over for an older checkpoint.
package mongostore

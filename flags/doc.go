// Package flags is the flag model, its evaluation and the client that an
// application embeds. It is the ground floor of Holdfast: it links no gRPC,
// Redis or MongoDB; drivers come in through the small interfaces declared here.
//
// A flag set is one append-only list of commits. Everything that is stored or
// sent, by any layer, is one of two things: a [Checkpoint] (a whole set at one
// version) or a [Commit] (one atomic write). Whoever puts a set together from
// them checks its [Digest], so that an empty, partial, torn or corrupt set
// cannot be installed from any layer.
package flags

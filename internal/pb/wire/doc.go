// Package wire translates between the protocol's messages and the types of
// packages flags and store: heads, chunks of snapshots, commits, errors. Both
// ends use it, so that neither can drift.
package wire

// CapabilityAbsent in a Hello: the client knows what Heartbeat.absent means.
const CapabilityAbsent = "absent"

// Limits of the protocol.
const (
	// RelayHeader, in the metadata of a write, says that it is passed on for somebody else,
	// who made it and from where as it says.
	RelayHeader = "holdfast-relay"
	// Version is the newest version of the protocol that this code speaks.
	Version = 1
	// ChunkBytes is the most that one piece of a snapshot holds.
	ChunkBytes = 1 << 20
	// BatchBytes is about how much a message of several commits holds; a single
	// commit may be larger.
	BatchBytes = 1 << 20
	// MaxMessageBytes is the most that either end takes in one message: a commit
	// of the greatest size, and room for what surrounds it.
	MaxMessageBytes = 16 << 20
)

package flags

import (
	"context"
	"time"
)

// DatedSource is a Source that answers for an origin, which it may be cut off from: what
// it says can be older than the question. What decorates one must be one, too.
type DatedSource interface {
	Source
	// HeadAsOf is Head, with the instant at which the origin is known to have had it.
	HeadAsOf(ctx context.Context, set string) (Head, time.Time, error)
}

// HeadAsOf asks s for its head, and as of when that is. One that is no DatedSource speaks
// for itself: as of the question.
func HeadAsOf(ctx context.Context, s Source, set string) (h Head, asOf time.Time, err error) {
	if dated, ok := s.(DatedSource); ok {
		return dated.HeadAsOf(ctx, set)
	}
	asOf = time.Now()
	h, err = s.Head(ctx, set)
	return h, asOf, err
}

// Source is one layer that can deliver flag sets. The unit of work is the head,
// then only what is missing.
//
// Implementations return errors as *SourceError, honour ctx, and are safe for
// concurrent use. A set that does not exist is an error of ClassNotFound; a set
// that was deleted is not: it has a head with StatusDeleted.
type Source interface {
	// Head returns the newest version of the set that this layer has.
	Head(ctx context.Context, set string) (Head, error)
	// Fetch returns what leads from have to the layer's head, in as few bytes as
	// it can: nothing, commits, or a checkpoint where have is zero, too old,
	// unknown, of another lineage, or has another digest at its version.
	Fetch(ctx context.Context, set string, have Head) (Update, error)
}

// Update leads a reader to Head: by nothing, where the reader is there already;
// by Commits, dense and in order, beginning after what the reader had; or by a
// Checkpoint, followed by Commits where there are any.
type Update struct {
	Head       Head
	Checkpoint *Checkpoint
	Commits    []Commit
	// AsOf is the instant at which the origin is known to have had Head, on this
	// process' monotonic clock. Zero: when the request was sent.
	AsOf time.Time
}

// Watcher follows a set as it changes.
type Watcher interface {
	// Watch opens a stream that begins after have. It returns once the layer has
	// answered, within the layer's own budget, or with a *SourceError. The stream
	// ends when ctx does. Its first event comes at once, a heartbeat to who is at
	// the head already. For a set that does not exist it says Absent, and goes on as
	// soon as the set is created; a layer that cannot wait for that (a router of an older
	// version, or one that too many names are awaited of) returns an error of ClassNotFound.
	Watch(ctx context.Context, set string, have Head) (Stream, error)
}

// Stream is an open watch. Next is for one goroutine at a time; Applied and
// Close may be called from others.
type Stream interface {
	// Next blocks until there is something to say. After an error (always a
	// *SourceError) the stream is over.
	Next() (Event, error)
	// Applied reports what the caller now answers from; the other side may show it
	// and wait for it. Layers that have no use for it ignore it.
	Applied(Ack) error
	// Close ends the stream and frees what it holds. Idempotent.
	Close() error
}

// Event is one message of a Stream. With neither checkpoint nor commits it is a
// heartbeat: Head is still the newest, as of AsOf.
type Event struct {
	Update
	Reset      string        // why the stream could not begin after have; a checkpoint follows or is here
	Queued     bool          // the layer rations initial loads and has not come to this one yet
	Absent     bool          // there is no such set, and so no Head; the stream begins once it is created
	RetryAfter time.Duration // > 0: the layer is going away; reconnect after this long
}

// Ack is what a watching process answers from, and how its layers do.
type Ack struct {
	Head   Head
	Layers map[string]string // layer name -> state, e.g. "primary": "open"
}

// Sink is a place that keeps the newest set for later: a cache, a file. It must
// never replace a newer version by an older one.
type Sink interface {
	// Put offers an installed update. Checkpoint and Commits are what was
	// installed; full assembles the whole set, for sinks that need it.
	Put(ctx context.Context, u Update, full func() *Checkpoint) error
}

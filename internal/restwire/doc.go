// Package restwire is the form that the REST API's two ends share: names of
// headers and media types, heads and problems in JSON, sets and commits as frames,
// server-sent events.
//
// What people read is JSON. What drivers read is the same encoded checkpoints and
// commits that rest in stores and travel on every other wire, one after another in
// a stream of parts, so that a digest checked at one end is one checked at all.
package restwire

// Media types. A server gives FramesType to whoever asks for it, and JSON to
// everybody else.
const (
	FramesType  = "application/vnd.holdfast.frames"
	ProblemType = "application/problem+json"
	EventsType  = "text/event-stream"
	// MergePatchType is a JSON merge patch, RFC 7396.
	MergePatchType = "application/merge-patch+json"
)

// Headers.
const (
	// RevisionHeader carries a token: in an answer, the revision it was given from;
	// in a request, the one that the answer must not be older than.
	RevisionHeader = "Holdfast-Revision"
	// AgeHeader is how many microseconds ago the store was known to have the answer's
	// head. Left out: it was asked for this request.
	AgeHeader = "Holdfast-Age"
	// ClientHeader says who watches: name, language, version and instance, in the
	// form of a query.
	ClientHeader = "Holdfast-Client"
	// WatchHeader is the id of a watch, by which its client reports what it applied.
	WatchHeader = "Holdfast-Watch"
	// ReasonHeader says why a write is made; the parameter reason does, too.
	ReasonHeader = "Holdfast-Reason"
	// IdempotencyHeader makes a write safe to repeat: requests of one principal to one
	// set that share a key are one write.
	IdempotencyHeader = "Idempotency-Key"
)

// AbsentParam in the query of a watch: the client can wait for a set that is not there.
const AbsentParam = "absent"

// FormFrames as the parameter form of a watch has its commits sent as frames.
const FormFrames = "frames"

// Events of a watch. Each that leads somewhere carries the token of it as its id.
const (
	EventCommits   = "commits"   // what happened since the event before
	EventHeartbeat = "heartbeat" // nothing did
	EventReset     = "reset"     // the stream goes on from here; what lies before is for the snapshot to say
	EventAbsent    = "absent"    // there is no such set; the stream begins once it is created
	EventDrain     = "drain"     // the router is going away; come back after the event's retry
)

// Beat is the data of heartbeats and resets, and the answer to a report of what
// was applied.
type Beat struct {
	Head   Head   `json:"head"`
	AgeUs  uint64 `json:"ageUs,omitempty"`  // since the store was known to have the head
	Reason string `json:"reason,omitempty"` // of a reset, where the client had something
}

// Applied is what a client reports.
type Applied struct {
	Head   *Head             `json:"head,omitempty"` // what it answers from; left out: it only asks where the set is
	Layers map[string]string `json:"layers,omitempty"`
}

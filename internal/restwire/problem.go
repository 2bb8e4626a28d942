package restwire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Problem is the body of an error, as RFC 9457 has it.
type Problem struct {
	Type   string `json:"type,omitempty"` // left out: the status says it all
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail,omitempty"`
	Token  string `json:"token,omitempty"` // where the set is, where that is to the point
	// Errors are the faults of a definition, each with its place.
	Errors []Fault `json:"errors,omitempty"`
}

// Fault is one thing that is wrong with what was sent.
type Fault struct {
	Detail  string `json:"detail"`
	Pointer string `json:"pointer,omitempty"` // JSON pointer (RFC 6901) into the body; left out: the fault is of another entry
	Entry   string `json:"entry,omitempty"`   // whose fault it is
	Line    int    `json:"line,omitempty"`    // in the body, from 1
	Column  int    `json:"column,omitempty"`  // in characters, from 1
}

// problemBase begins every type of ours. It is also where they are explained.
const problemBase = "https://github.com/holdfast-flags/holdfast/blob/main/docs/problems.md#"

// Kind is a kind of problem of ours.
type Kind struct {
	Name   string // the last part of the type
	Status int
	Title  string
	Err    error // what it was in the router, and is again at the other end; may be nil
}

// The kinds. NotReached and OtherLineage are failed preconditions: the header that
// names the revision is one, on a safe method, and that is what 412 is for.
// Of several kinds with one name the first is meant.
var (
	NotReached   = Kind{"revision-not-reached", http.StatusPreconditionFailed, "The revision was not reached in time", nil}
	OtherLineage = Kind{"another-lineage", http.StatusPreconditionFailed, "The revision belongs to another history", nil}
	NoEntry      = Kind{"no-such-entry", http.StatusNotFound, "No such flag, override or evaluator", nil}
	Changed      = Kind{"changed", http.StatusPreconditionFailed, "It has changed meanwhile", nil}
	KeyReused    = Kind{"idempotency-key-reused", http.StatusUnprocessableEntity, "The idempotency key belongs to another request", nil}

	Kinds = []Kind{
		{"not-found", http.StatusNotFound, "No such flag set", store.ErrNotFound},
		{"compacted", http.StatusGone, "Older than the journal goes back", store.ErrCompacted},
		{"invalid", http.StatusBadRequest, "Invalid request", flags.ErrInvalid},
		{"invalid", http.StatusBadRequest, "Invalid request", store.ErrInvalid},
		{"conflict", http.StatusConflict, "Others keep changing it", store.ErrConflict},
		{"exists", http.StatusConflict, "The flag set exists", store.ErrExists},
		{"ended", http.StatusConflict, "The flag set has ended", store.ErrEnded},
		{"read-only", http.StatusForbidden, "The store takes no writes", store.ErrReadOnly},
		{"too-large", http.StatusRequestEntityTooLarge, "Too large", flags.ErrTooLarge},
		NotReached,
		OtherLineage,
		NoEntry,
		Changed,
		KeyReused,
	}
)

// With returns a problem of the kind.
func (k Kind) With(detail string) Problem {
	return Problem{Type: problemBase + k.Name, Title: k.Title, Status: k.Status, Detail: detail}
}

// Plain returns a problem that has nothing to it but its status.
func Plain(status int, detail string) Problem {
	return Problem{Title: http.StatusText(status), Status: status, Detail: detail}
}

// FromError returns the problem that err is to a client.
func FromError(err error) Problem {
	for _, k := range Kinds {
		if k.Err != nil && errors.Is(err, k.Err) && !errors.Is(err, store.ErrClosed) {
			return k.With(text(err))
		}
	}
	switch flags.ClassOf(err) {
	case flags.ClassNotFound:
		return Kinds[0].With(text(err))
	case flags.ClassDenied:
		return Plain(http.StatusForbidden, text(err))
	case flags.ClassPermanent:
		return Plain(http.StatusInternalServerError, text(err))
	default:
		// Whoever was cancelled in the router was not the client, or it would not be reading this.
		return Plain(http.StatusServiceUnavailable, text(err))
	}
}

// text leaves out what the router called the operation in its own store.
func text(err error) string {
	var se *flags.SourceError
	if errors.As(err, &se) && se.Error() == err.Error() {
		return text(se.Err)
	}
	return err.Error()
}

// ParseProblem reads a problem; ok is false for what is none of the router's.
func ParseProblem(contentType string, body []byte) (p Problem, ok bool) {
	media, _, _ := strings.Cut(contentType, ";")
	if !strings.EqualFold(strings.TrimSpace(media), ProblemType) || json.Unmarshal(body, &p) != nil {
		return Problem{}, false
	}
	return p, true
}

// Kind returns the kind of a problem; false where it is none of ours.
func (p *Problem) Kind() (Kind, bool) {
	name, ours := strings.CutPrefix(p.Type, problemBase)
	for _, k := range Kinds {
		if ours && k.Name == name && k.Status == p.Status {
			return k, true
		}
	}
	return Kind{}, false
}

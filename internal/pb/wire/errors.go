package wire

import (
	"errors"
	"slices"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/store"
)

// sentinels are the errors that keep their identity across the wire. The first
// one that matches decides the code. store.ErrClosed is not among them: that
// the router's store is closed says nothing about the caller's.
var sentinels = []struct {
	err    error
	reason pb.Reason
	code   codes.Code
}{
	{store.ErrNotFound, pb.Reason_REASON_NOT_FOUND, codes.NotFound},
	{store.ErrExists, pb.Reason_REASON_EXISTS, codes.AlreadyExists},
	{store.ErrConflict, pb.Reason_REASON_CONFLICT, codes.FailedPrecondition},
	{store.ErrEnded, pb.Reason_REASON_ENDED, codes.FailedPrecondition},
	{store.ErrReadOnly, pb.Reason_REASON_READ_ONLY, codes.FailedPrecondition},
	{store.ErrCompacted, pb.Reason_REASON_COMPACTED, codes.OutOfRange},
	{store.ErrInvalid, pb.Reason_REASON_INVALID, codes.InvalidArgument},
	{flags.ErrTooLarge, pb.Reason_REASON_TOO_LARGE, codes.InvalidArgument},
	{flags.ErrFormat, pb.Reason_REASON_FORMAT, codes.InvalidArgument},
	{flags.ErrInvalid, pb.Reason_REASON_DEFINITION, codes.InvalidArgument},
	{flags.ErrDigest, pb.Reason_REASON_DIGEST, codes.DataLoss},
	{flags.ErrGap, pb.Reason_REASON_GAP, codes.FailedPrecondition},
	{flags.ErrLineage, pb.Reason_REASON_LINEAGE, codes.FailedPrecondition},
}

var classCodes = map[flags.Class]codes.Code{
	flags.ClassTransient: codes.Unavailable,
	flags.ClassNotFound:  codes.NotFound,
	flags.ClassPermanent: codes.FailedPrecondition,
	flags.ClassDenied:    codes.PermissionDenied,
	// Whoever was cancelled in the router was not the caller, or it would not be reading this.
	flags.ClassCanceled: codes.Unavailable,
	flags.ClassRefused:  codes.Unavailable,
}

// FromError returns the status error that a handler answers err with: a status
// error as it is, everything else by its sentinels and its class. nil stays nil.
func FromError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err
	}
	detail := &pb.ErrorDetail{}
	code := classCodes[flags.ClassOf(err)]
	for _, s := range sentinels {
		if !errors.Is(err, s.err) {
			continue
		}
		if len(detail.Reasons) == 0 && !errors.Is(err, store.ErrClosed) {
			code = s.code
		}
		detail.Reasons = append(detail.Reasons, s.reason)
	}
	if conflict := new(store.ConflictError); errors.As(err, &conflict) {
		detail.Conflict = fromConflict(conflict)
	}
	st := status.New(code, text(err))
	if len(detail.Reasons) > 0 {
		if with, detailErr := st.WithDetails(protoadapt.MessageV1Of(detail)); detailErr == nil {
			st = with
		}
	}
	return st.Err()
}

// text leaves out what the router called the operation in its own store: the
// caller says what it asked for itself.
func text(err error) string {
	var se *flags.SourceError
	if errors.As(err, &se) && se.Error() == err.Error() {
		return text(se.Err)
	}
	return err.Error()
}

// Sentinels returns what st says err was at the other end: a *store.ConflictError
// first, where it is one, and the sentinels it matched. nil where it says nothing.
func Sentinels(st *status.Status) []error {
	var out []error
	for _, d := range st.Details() {
		detail, ok := d.(*pb.ErrorDetail)
		if !ok {
			continue
		}
		if detail.GetConflict() != nil {
			out = append(out, toConflict(detail.GetConflict()))
		}
		for _, s := range sentinels {
			if slices.Contains(detail.GetReasons(), s.reason) {
				out = append(out, s.err)
			}
		}
	}
	return out
}

func fromConflict(e *store.ConflictError) *pb.Conflict {
	m := &pb.Conflict{
		Set: e.Token.Set, Lineage: string(e.Token.Lineage), Version: FromVersion(e.Token.Version),
		Want: e.Want, Have: e.Have,
	}
	if e.Key != nil {
		m.Key = &pb.EntryKey{Kind: uint32(e.Key.Kind), Name: e.Key.Name, Entity: e.Key.Entity}
	}
	return m
}

func toConflict(m *pb.Conflict) *store.ConflictError {
	e := &store.ConflictError{
		Token: flags.Token{Set: m.GetSet(), Lineage: flags.Lineage(m.GetLineage()), Version: ToVersion(m.GetVersion())},
		Want:  m.GetWant(), Have: m.GetHave(),
	}
	if k := m.GetKey(); k != nil {
		e.Key = &flags.EntryKey{Kind: flags.Kind(k.GetKind()), Name: k.GetName(), Entity: k.GetEntity()}
	}
	return e
}

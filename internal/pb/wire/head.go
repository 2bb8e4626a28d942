package wire

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
)

// FromHead returns the message for h.
func FromHead(h flags.Head) *pb.Head {
	m := &pb.Head{
		Set: h.Set, Lineage: string(h.Lineage), Version: FromVersion(h.Version),
		Status: uint32(h.Status), Digest: h.Digest.Bytes(), Count: uint64(h.Count),
	}
	if !h.Time.IsZero() {
		m.TimeUs = h.Time.UnixMicro()
	}
	return m
}

// ToHead returns the head in m; nil is the zero head. The error wraps flags.ErrFormat.
func ToHead(m *pb.Head) (flags.Head, error) {
	if m == nil {
		return flags.Head{}, nil
	}
	h := flags.Head{
		Set: m.GetSet(), Lineage: flags.Lineage(m.GetLineage()), Version: ToVersion(m.GetVersion()),
		Status: flags.Status(m.GetStatus()), Count: int(m.GetCount()),
	}
	digest, ok := flags.DigestFromBytes(m.GetDigest())
	if !ok && len(m.GetDigest()) != 0 {
		return flags.Head{}, fmt.Errorf("%w: head with a digest of %d bytes", flags.ErrFormat, len(m.GetDigest()))
	}
	if m.GetStatus() > uint32(flags.StatusDeleted) || m.GetCount() > flags.MaxCheckpointBytes*4 {
		return flags.Head{}, fmt.Errorf("%w: head of status %d with %d entries", flags.ErrFormat, m.GetStatus(), m.GetCount())
	}
	h.Digest = digest
	if m.GetTimeUs() != 0 {
		h.Time = time.UnixMicro(m.GetTimeUs()).UTC()
	}
	return h, nil
}

// FromVersion returns the message for v.
func FromVersion(v flags.Version) *pb.Version {
	return &pb.Version{Epoch: v.Epoch, Revision: v.Revision}
}

// ToVersion returns the version in m; nil is the zero version.
func ToVersion(m *pb.Version) flags.Version {
	return flags.Version{Epoch: m.GetEpoch(), Revision: m.GetRevision()}
}

// maxDuration is more than anybody means.
const maxDuration = 365 * 24 * time.Hour

// ToDuration returns the duration in a field of microseconds, at most a year.
func ToDuration(us uint64) time.Duration {
	return time.Duration(min(us, uint64(maxDuration/time.Microsecond))) * time.Microsecond
}

// FromDuration is the inverse of ToDuration; what is negative becomes 0.
func FromDuration(d time.Duration) uint64 { return uint64(max(d, 0).Microseconds()) }

// Age returns the microseconds from asOf to now, for an age field; 0 where asOf is zero.
func Age(asOf, now time.Time) uint64 {
	if asOf.IsZero() || now.Before(asOf) {
		return 0
	}
	return FromDuration(now.Sub(asOf))
}

package wire

import (
	"time"

	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/store"
)

// FromItem returns the wire's form of a record.
func FromItem(it store.Item) *pb.Item {
	m := &pb.Item{Kind: it.Kind, Id: it.ID, Version: it.Version, Bytes: it.Bytes}
	if !it.Expires.IsZero() {
		m.ExpiresUs = it.Expires.UnixMicro()
	}
	return m
}

// ToItem is the inverse of FromItem.
func ToItem(m *pb.Item) store.Item {
	it := store.Item{Kind: m.GetKind(), ID: m.GetId(), Version: m.GetVersion(), Bytes: m.GetBytes()}
	if m.GetExpiresUs() != 0 {
		it.Expires = time.UnixMicro(m.GetExpiresUs()).UTC()
	}
	return it
}

package memstore_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

func open(t testing.TB) store.Store {
	s := memstore.New(nil)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	storetest.Run(t, storetest.Harness{
		New: open,
		Compact: func(t testing.TB, s store.Store, set string) {
			if err := s.(*memstore.Store).Compact(t.Context(), set, 3); err != nil {
				t.Fatal(err)
			}
		},
		Except: map[string]string{
			"reopen": "nothing outlives the process",
			"tamper": "nothing is stored outside the process",
		},
	})
}

func TestReplica(t *testing.T) {
	storetest.RunReplica(t, storetest.ReplicaHarness{
		New:    func(t testing.TB) storetest.Replica { return open(t).(*memstore.Store) },
		Origin: open,
	})
}

func TestRecords(t *testing.T) {
	storetest.RunRecords(t, storetest.RecordsHarness{
		New: func(t testing.TB) storetest.Records { return open(t).(*memstore.Store) },
	})
}

package grpcstore_test

import (
	"testing"

	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/storetest"
)

// TestRecords holds the client, the wire and the service to the contract of records.
func TestRecords(t *testing.T) {
	storetest.RunRecords(t, storetest.RecordsHarness{New: func(t testing.TB) storetest.Records {
		mem := memstore.New(nil)
		return dial(t, serve(t, mem, flagsvc.Options{Records: mem}), grpcstore.Options{})
	}})
}

package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleRecords() {
	ctx := context.Background()
	var records store.Records = memstore.New(nil)
	cursor, err := records.PutRecord(ctx, store.Item{Kind: "cursor", ID: "mail", Bytes: []byte("17")})
	if err != nil {
		fmt.Println(err)
		return
	}
	cursor.Bytes = []byte("18")
	_, err = records.PutRecord(ctx, cursor)
	fmt.Println(err)
	_, err = records.PutRecord(ctx, cursor) // it has another version by now
	fmt.Println(err != nil)
	// Output:
	// <nil>
	// true
}

func TestItemVersionsAreDrawn(t *testing.T) {
	seen := map[uint64]bool{0: true}
	for range 1000 {
		it, err := store.PrepareItem(store.Item{}, store.Item{Kind: "note", ID: "a"}, time.Now())
		if err != nil || seen[it.Version] || it.Version>>63 != 0 {
			t.Fatalf("version %d, %v", it.Version, err)
		}
		seen[it.Version] = true
	}
}

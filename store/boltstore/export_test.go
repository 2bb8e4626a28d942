package boltstore

import (
	"context"
	"runtime"

	bolt "go.etcd.io/bbolt"
)

// WithFullDisk is Options of a store whose file cannot grow beyond size.
func WithFullDisk(size int) *Options { return &Options{maxFileBytes: size} }

// AckingEarly is Options of a store that acknowledges what is not durable yet.
func AckingEarly() *Options { return &Options{ackEarly: true} }

// VerifyLeaf checks a leaf page as opening a file does.
func VerifyLeaf(page []byte) error {
	return (&verifier{seen: map[uint64]bool{}}).elements(2, page, nil, nil, false)
}

// HoldWriter keeps the writer in a group of its own until release is called.
func (s *Store) HoldWriter() (release func()) {
	entered, let := make(chan struct{}), make(chan struct{})
	go func() {
		_ = s.submit(&request{ctx: context.Background(), set: "none", stage: func(disk, bool, *journal) error {
			close(entered)
			<-let
			return errNothing
		}})
	}()
	<-entered
	return func() { close(let) }
}

// AwaitQueue waits until n requests wait in the queue.
func (s *Store) AwaitQueue(n int) {
	for len(s.queue) < n {
		runtime.Gosched()
	}
}

// Transactions returns how many write transactions the file has seen.
func (s *Store) Transactions() (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n = tx.ID()
		return nil
	})
	return n, err
}

// The form in which records rest.
var (
	EncodeItem = encodeItem
	DecodeItem = decodeItem
)

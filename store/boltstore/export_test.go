package boltstore

import (
	"runtime"

	bolt "go.etcd.io/bbolt"
)

// WithFullDisk is Options of a store whose file cannot grow beyond size.
func WithFullDisk(size int) *Options { return &Options{maxFileBytes: size} }

// AckingEarly is Options of a store that acknowledges what is not durable yet.
func AckingEarly() *Options { return &Options{ackEarly: true} }

// HoldWrites keeps the writer from its file until release is called.
func (s *Store) HoldWrites() (release func(), err error) {
	tx, err := s.db.Begin(true)
	if err != nil {
		return nil, err
	}
	return func() { _ = tx.Rollback() }, nil
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

// Package boltstore is a store in one file, for a router that needs no database.
//
// Commits that wait at the same time share one transaction and one fsync, and
// none is acknowledged before it. What readers of the head need is in memory;
// only History reads the file.
//
// The file is a bbolt database, open in one process at a time:
//
//	sets / SET / journal     / version   -> encoded commit
//	sets / SET / ids         / commit id -> version
//	sets / SET / checkpoints / version   -> encoded checkpoint, about every 256 commits
//
// where a version is epoch and revision, eight bytes each, big-endian. Opening
// verifies the structure of the whole file, then for each set the newest
// checkpoint and every commit after it: the store is at its last acknowledged
// commit, or it does not open.
package boltstore

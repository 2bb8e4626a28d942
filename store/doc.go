// Package store says what it means to keep flag sets durably, and holds the
// decorators that work over any store.
//
// The journal is the database: a store is a dense, append-only list of commits
// per flag set, and Apply is compare-and-append. History, audit, rollback,
// watching, resuming and mirrors all read the same list.
//
// Each driver translates one technology and classifies its errors; it never
// caches for the sake of speed and never retries past its budget. The public
// suite storetest is the contract in executable form.
package store

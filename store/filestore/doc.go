// Package filestore keeps flag sets in files: the last-known-good file that a
// process leaves behind for its next start ([LastKnownGood]), and a flagd file,
// watched, as a read-only primary ([Flagd]).
package filestore

//go:build !unix

package filestore

import "os"

// lockFile does nothing where there are no advisory locks: there, give each
// process a file of its own.
func lockFile(*os.File) error { return nil }

func inode(os.FileInfo) uint64 { return 0 }

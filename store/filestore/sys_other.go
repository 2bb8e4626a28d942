//go:build !unix

package filestore

import "os"

// tryLock locks nothing where there are no advisory locks: there, give each
// process a file of its own.
func tryLock(*os.File) (bool, error) { return true, nil }

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }

func inode(os.FileInfo) uint64 { return 0 }

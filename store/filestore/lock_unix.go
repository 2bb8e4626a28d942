//go:build unix

package filestore

import (
	"os"
	"syscall"
)

// lockFile waits for the advisory lock on f, which closing f gives back.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }

// inode tells a replaced file from the one before, even of the same size and age.
func inode(info os.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Ino) //nolint:unconvert // not uint64 on every system
	}
	return 0
}

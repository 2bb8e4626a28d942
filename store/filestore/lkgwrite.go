package filestore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// lockWait bounds the wait for another process that is writing: one that was
	// stopped meanwhile would keep us, and Close, for as long as it is.
	lockWait = 2 * time.Second
	lockPoll = 5 * time.Millisecond

	// abandoned is the age from which a temporary file is nobody's any more. It
	// is for systems without locks: with one, its writer cannot be alive.
	abandoned = time.Minute
)

// lock takes the advisory lock at path. Closing the file gives it back.
func lock(path string, blocked func()) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for began := time.Now(); ; time.Sleep(lockPoll) {
		ok, err := tryLock(f)
		switch {
		case ok:
			return f, nil
		case err != nil:
			return nil, errors.Join(fmt.Errorf("lock: %w", err), f.Close())
		case time.Since(began) >= lockWait:
			return nil, errors.Join(fmt.Errorf("lock: %s is held by another writer for more than %v", path, lockWait), f.Close())
		}
		blocked()
	}
}

// replaceFile puts data at path so that a crash at any instant leaves either the
// old content or the new one: a temporary file in the same directory, fsync,
// rename, fsync of the directory (without which the rename itself may be lost).
// aside runs in between, once nothing can fail any more for want of space.
func replaceFile(path string, data []byte, aside func() error, step func(string)) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*.tmp") // O_EXCL, 0600
	if err != nil {
		return err
	}
	if err = writeAll(tmp, data, step); err == nil {
		step("written")
		err = aside()
	}
	if err == nil {
		step("aside")
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	step("renamed")
	return syncDir(dir)
}

// writeAll writes data to f, makes it durable and closes f.
func writeAll(f *os.File, data []byte, step func(string)) error {
	half := len(data) / 2
	_, err := f.Write(data[:half])
	if err == nil {
		step("half")
		_, err = f.Write(data[half:])
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// keepPrevious links the present file to prev. The link is made under another
// name and renamed, so that prev never disappears. Where there are no links the
// file itself is moved: for an instant prev is all there is, and readers look there.
func keepPrevious(path, prev string) error {
	next := prev + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	err := os.Link(path, next)
	switch {
	case err == nil:
		return os.Rename(next, prev)
	case errors.Is(err, os.ErrNotExist):
		return nil
	default:
		return os.Rename(path, prev)
	}
}

// sweep removes the temporary files that writers of path left behind when they
// crashed. The caller holds the lock; what cannot be removed does no harm.
func sweep(path string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		info, err := e.Info()
		if err == nil && isTemp(e.Name(), path) && info.Mode().IsRegular() && time.Since(info.ModTime()) > abandoned {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// isTemp reports whether replaceFile gave a temporary file of path this name.
func isTemp(name, path string) bool {
	middle, ok := strings.CutPrefix(name, "."+filepath.Base(path)+".")
	if !ok {
		return false
	}
	middle, ok = strings.CutSuffix(middle, ".tmp")
	return ok && middle != "" && strings.Trim(middle, "0123456789") == ""
}

package filestore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// writeToFullDisk writes the next version again and again, where a file may have
// at most so many bytes as the disk has room for: none at all, a few more each
// time, and in the end enough.
func writeToFullDisk(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // the write fails instead, as it does on a full disk
	c, err := resume(path)
	if err != nil {
		return err
	}
	before := c.Head()
	cp, err := grow(c)
	if err != nil {
		return err
	}
	whole, err := encodeKept(cp, cp.Time)
	if err != nil {
		return err
	}
	l := hasty(path, sabotage{})
	tries := 0
	for room := uint64(0); room < uint64(len(whole)); room += uint64(len(whole))/40 + 1 {
		if err := limitFiles(room); err != nil {
			return err
		}
		if err := offered(l, cp); flags.ClassOf(err) != flags.ClassTransient || !errors.Is(err, syscall.EFBIG) {
			return fmt.Errorf("with room for %d bytes: %w", room, err)
		}
		if err := stillAt(path, before); err != nil {
			return fmt.Errorf("with room for %d bytes: %w", room, err)
		}
		tries++
	}
	if err := limitFiles(uint64(len(whole)) + 1); err != nil {
		return err
	}
	if err := offered(l, cp); err != nil {
		return fmt.Errorf("with enough room: %w", err)
	}
	fmt.Printf("full %d times\n", tries)
	return stillAt(path, cp.Head)
}

func limitFiles(bytes uint64) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = bytes
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
}

// stillAt checks that both generations are whole, the newer one is head, and
// nothing else lies about.
func stillAt(path string, head flags.Head) error {
	l := hasty(path, sabotage{})
	k, err := l.read(path)
	if err != nil {
		return err
	}
	if k.head != head {
		return fmt.Errorf("the file is at %v, want %v", k.head.Token(), head.Token())
	}
	previous, err := l.read(l.prev())
	if err == nil && !previous.head.Version.Before(head.Version) {
		err = fmt.Errorf("the generation before is at %v", previous.head.Token())
	}
	left, globErr := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if len(left) > 0 {
		err = errors.Join(err, fmt.Errorf("left behind: %v", left))
	}
	return errors.Join(err, globErr)
}

// TestFullDisk: a write that finds no room fails, leaves both generations as they
// are, and nothing behind; with room again the next one succeeds.
func TestFullDisk(t *testing.T) {
	path, _ := begin(t)
	says(t, another(t, "full", path), "full ")
	matrix.Tally(t, "F19", 1, 0)
}

// writeToReadOnlyDir is in a directory in which it may not write.
func writeToReadOnlyDir(path string) error {
	if err := os.Chdir(filepath.Dir(path)); err != nil {
		return err
	}
	if os.Geteuid() == 0 { // for whom modes mean nothing; from here on we are nobody
		if err := errors.Join(syscall.Setgroups(nil), syscall.Setgid(65534), syscall.Setuid(65534)); err != nil {
			return err
		}
	}
	path = filepath.Base(path)
	c, err := resume(path)
	if err != nil {
		return err
	}
	before := c.Head()
	cp, err := grow(c)
	if err != nil {
		return err
	}
	if err := offered(hasty(path, sabotage{}), cp); flags.ClassOf(err) != flags.ClassTransient || !errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("put: %w", err)
	}
	fmt.Println("refused")
	return stillAt(path, before)
}

// TestReadOnlyDirectory: what is there serves; writing fails, and says so.
func TestReadOnlyDirectory(t *testing.T) {
	path, _ := begin(t)
	for _, p := range []string{path, path + ".prev"} {
		if err := os.Chmod(p, 0o444); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Dir(path), 0o555); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(filepath.Dir(path), 0o755)
	says(t, another(t, "readonly", path), "refused")
	matrix.Tally(t, "F19", 1, 0)
}

func says(t *testing.T, cmd *exec.Cmd, want string) {
	t.Helper()
	out, err := cmd.Output()
	if err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("%v: %s", err, out)
	}
}

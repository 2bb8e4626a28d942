package testenv

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
)

// devmongo returns the path of the devmongo binary: the one that
// HOLDFAST_DEVMONGO names, or one built once for all packages and runs of this
// machine. The first build takes minutes, as it compiles SQLite.
var devmongo = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("HOLDFAST_DEVMONGO"); bin != "" {
		if _, err := os.Stat(bin); err != nil {
			return "", fmt.Errorf("HOLDFAST_DEVMONGO: %w", err)
		}
		return bin, nil
	}
	src, err := devmongoSource()
	if err != nil {
		return "", err
	}
	key, err := contentKey(src)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	return buildOnce(src, filepath.Join(cache, "holdfast-devmongo"), key)
})

// devmongoSource finds internal/devmongo from the directory tests run in, which
// is that of their package.
func devmongoSource() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		src := filepath.Join(dir, "internal", "devmongo")
		if _, err := os.Stat(filepath.Join(src, "go.mod")); err == nil {
			return src, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("no internal/devmongo above the working directory; set HOLDFAST_DEVMONGO to a built one")
		}
		dir = parent
	}
}

// contentKey names a build by what goes into it.
func contentKey(src string) (string, error) {
	h := sha256.New()
	_, _ = fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	for _, name := range []string{"go.mod", "go.sum", "main.go"} {
		f, err := os.Open(filepath.Join(src, name))
		if err != nil {
			return "", err
		}
		_, err = io.Copy(h, f)
		_ = f.Close()
		if err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// buildOnce builds under a file lock, so that packages tested at the same time
// wait for one build, and renames, so that nobody sees half a binary.
func buildOnce(src, cache, key string) (string, error) {
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer func() { _ = lock.Close() }() // closing unlocks
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	bin := filepath.Join(cache, "devmongo-"+key)
	if _, err := os.Stat(bin); err == nil {
		return bin, nil
	}
	part := bin + ".part"
	cmd := exec.Command("go", "build", "-o", part, ".")
	cmd.Dir = src
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false") // not the flags of the tests themselves
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", src, err, out)
	}
	return bin, os.Rename(part, bin)
}

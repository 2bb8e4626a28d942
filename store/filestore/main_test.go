package filestore

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// roleEnv makes the test binary one of the other processes that tests need.
const roleEnv = "FILESTORE_TEST_ROLE"

var roles = map[string]func(path string) error{
	"writer":   writeUntilKilled,
	"racer":    raceToTheEnd,
	"full":     writeToFullDisk,
	"readonly": writeToReadOnlyDir,
}

func TestMain(m *testing.M) {
	role, path, _ := strings.Cut(os.Getenv(roleEnv), " ")
	if role == "" {
		goleak.VerifyTestMain(m)
		return
	}
	if err := roles[role](path); err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// another returns the test binary as another process.
func another(t *testing.T, role, path string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role+" "+path), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

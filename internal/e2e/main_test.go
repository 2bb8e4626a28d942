package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// bin is where the programs under test were built.
var bin string

func TestMain(m *testing.M) {
	if os.Getenv(processEnv) != "" {
		os.Exit(serve(os.Stdin, os.Stdout)) // this is an application that a test started
	}
	if os.Getenv(earlyEnv) != "" {
		os.Exit(serveEarly()) // and this is a router with a fault
	}
	dir, err := os.MkdirTemp("", "holdfast-e2e")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	bin = dir
	build := exec.Command("go", "build", "-o", dir+"/", "../../cmd/flagrouter", "../../cmd/flagctl")
	build.Stderr = os.Stderr
	code := 1
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
	} else {
		code = testenv.Main(m).Run()
	}
	if err := os.RemoveAll(dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// result is how a command line ended.
type result struct {
	stdout, stderr string
	code           int
}

// cli is flagctl with the flags that say where to work.
type cli struct {
	t    *testing.T
	args []string
}

func (c cli) try(args ...string) result {
	c.t.Helper()
	cmd := exec.CommandContext(c.t.Context(), filepath.Join(bin, "flagctl"), append(c.args, args...)...)
	cmd.Env = append(os.Environ(), "USER=tester")
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.t.Fatal(err)
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// run fails the test unless the command line succeeds.
func (c cli) run(args ...string) string {
	c.t.Helper()
	r := c.try(args...)
	if r.code != 0 {
		c.t.Fatalf("flagctl %s: exit %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
	}
	return r.stdout
}

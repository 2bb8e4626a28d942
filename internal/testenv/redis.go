package testenv

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

var errNoRedis = errors.New("redis-server is not installed; `make test` installs it (Debian: apt-get install redis-server)")

// StartRedis starts a Redis of the test's own, which keeps nothing on disk. It
// ends with the test; if that failed, its log is shown.
func StartRedis(tb testing.TB) *Server {
	tb.Helper()
	return own(tb, redis{})
}

// Redis returns the address of a Redis shared by the package's tests; use a key
// prefix of your own, such as Name's.
func Redis(tb testing.TB) string {
	tb.Helper()
	return sharedRedis.get(tb).Addr()
}

type redis struct{}

func (redis) command(addr, dir string) (*exec.Cmd, error) {
	bin, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, errNoRedis
	}
	if addr == "" {
		if addr, err = FreeAddr(); err != nil {
			return nil, err
		}
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	return exec.Command(bin, "--bind", host, "--port", port, "--dir", dir,
		"--save", "", "--appendonly", "no", "--loglevel", "notice"), nil
}

func (redis) ready(addr string, out io.Reader, p *process) (string, error) {
	go func() { _, _ = io.Copy(io.Discard, out) }()
	if addr == "" { // command chose it; redis-server has no way to report it
		for i, arg := range p.cmd.Args {
			if arg == "--port" {
				addr = net.JoinHostPort("127.0.0.1", p.cmd.Args[i+1])
			}
		}
	}
	return addr, poll(p, func() error { return askRedis(addr, p.cmd.Process.Pid) })
}

// askRedis wants an answer from the process with this id: where another took the
// port first, ours is about to end, and it is theirs that answers.
func askRedis(addr string, pid int) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := fmt.Fprint(conn, "INFO server\r\n"); err != nil {
		return err
	}
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if id, found := strings.CutPrefix(lines.Text(), "process_id:"); found && id != strconv.Itoa(pid) {
			return fmt.Errorf("%s belongs to process %s, ours is %d", addr, id, pid)
		} else if found {
			return nil
		}
	}
	return fmt.Errorf("INFO on %s did not say whose process it is", addr)
}

// poll calls try until it succeeds, the process ends or time is up.
func poll(p *process, try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(startTimeout)
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("ended: %v", p.cmd.ProcessState)
		case <-deadline:
			return fmt.Errorf("not ready after %v: %w", startTimeout, err)
		case <-tick.C:
		}
	}
}

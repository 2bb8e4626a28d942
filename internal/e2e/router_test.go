package e2e

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// router is a flagrouter process that comes back on the same ports.
type router struct {
	t    *testing.T
	exe  string // the program; default flagrouter
	args []string
	env  []string // besides the test's own
	grpc string
	ops  string
	http string
	tls  *tls.Config // of a client; nil: without TLS

	cmd *exec.Cmd
	log *lockedBuffer
}

// newRouter prepares a router on free ports; start starts it.
func newRouter(t *testing.T, args ...string) *router {
	t.Helper()
	r := &router{t: t, grpc: freeAddr(t), ops: freeAddr(t), http: freeAddr(t), log: &lockedBuffer{}}
	r.args = append([]string{"--grpc-addr", r.grpc, "--eval-addr", "127.0.0.1:0", "--ops-addr", r.ops, "--http-addr", r.http, "--data-dir", filepath.Join(t.TempDir(), "data"), "--log-format", "text"}, args...)
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			t.Logf("flagrouter log:\n%s", r.log)
		}
	})
	return r
}

func startRouter(t *testing.T, args ...string) *router {
	t.Helper()
	r := newRouter(t, args...)
	r.start()
	return r
}

// start starts the process and waits until it is ready.
func (r *router) start() {
	r.t.Helper()
	r.launch()
	r.waitReady()
}

func (r *router) launch() {
	r.t.Helper()
	r.cmd = exec.Command(cmp.Or(r.exe, filepath.Join(bin, "flagrouter")), r.args...)
	r.cmd.Env = append(os.Environ(), r.env...)
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.cmd.Stdout, r.cmd.Stderr = r.log, r.log
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
}

func (r *router) waitReady() {
	r.t.Helper()
	eventually(r.t, patience, "router ready", func() error {
		body, err := r.ready()
		if err != nil {
			return fmt.Errorf("%w: %s", err, body)
		}
		return nil
	})
}

func (r *router) ready() (string, error) {
	if r.tls == nil {
		return get(r.t.Context(), "http://"+r.ops+"/readyz")
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: r.tls}}
	defer client.CloseIdleConnections()
	return getBy(r.t.Context(), client, "https://"+r.ops+"/readyz")
}

// kill ends the process as a crash would. It is safe to call twice.
func (r *router) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill() // may have ended by itself
	_ = r.cmd.Wait()
	r.cmd = nil
}

// stop ends the process as an operator would and returns its exit code.
func (r *router) stop() int {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	_ = r.cmd.Wait()
	code := r.cmd.ProcessState.ExitCode()
	r.cmd = nil
	return code
}

func (r *router) cli() cli { return cli{r.t, []string{"--server", r.grpc}} }

func get(ctx context.Context, url string) (string, error) { return getBy(ctx, http.DefaultClient, url) }

func getBy(ctx context.Context, client *http.Client, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	return string(body), err
}

// patience is for what happens in its own time on a busy machine; how fast it has to be is
// for tests in virtual time and for benchmarks to say.
const patience = time.Minute

// eventually polls until check returns nil.
func eventually(t *testing.T, limit time.Duration, what string, check func() error) {
	t.Helper()
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("%s: not within %v: %v", what, limit, err)
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := testenv.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// lockedBuffer takes the output of a process while the test may read it.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

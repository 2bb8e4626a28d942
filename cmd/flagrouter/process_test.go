package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// binary is the command as users run it, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "flagrouter")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "flagrouter")
	if out, err := exec.CommandContext(context.Background(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build: %v\n%s", err, out)
		return 1
	}
	return testenv.Main(m).Run()
}

// process is a flagrouter at work.
type process struct {
	cmd             *exec.Cmd
	page, grpc, ops string
	eval            string
	token           string
	mu              sync.Mutex
	log             bytes.Buffer
	exited          chan struct{}
	err             error
}

// start runs the command on free ports and waits until it says what it serves.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	args = append([]string{"--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0", "--log-format=json"}, args...)
	p := &process{cmd: exec.CommandContext(context.Background(), binary, args...), exited: make(chan struct{})}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	serving := make(chan struct{})
	go p.read(stderr, serving)
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.exited
	})
	select {
	case <-serving:
	case <-p.exited:
		t.Fatalf("flagrouter %v: %v\n%s", args, p.err, p.logged())
	case <-time.After(time.Minute):
		t.Fatalf("flagrouter %v does not serve\n%s", args, p.logged())
	}
	return p
}

func (p *process) read(stderr io.Reader, serving chan<- struct{}) {
	defer close(p.exited)
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		p.mu.Lock()
		p.log.WriteString(lines.Text() + "\n")
		p.mu.Unlock()
		var line struct{ Msg, Page, Grpc, Eval, Ops, Token string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "serving" {
			p.page, p.grpc, p.eval, p.ops, p.token = line.Page, line.Grpc, line.Eval, line.Ops, line.Token
			close(serving)
		}
	}
	p.err = p.cmd.Wait()
}

func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// signal sends a signal and waits for the end.
func (p *process) signal(t *testing.T, s os.Signal) error {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.exited:
		return p.err
	case <-time.After(time.Minute):
		t.Fatalf("still there after %s\n%s", s, p.logged())
		return nil
	}
}

func (p *process) client(t *testing.T) *grpcstore.Store {
	t.Helper()
	c, err := grpcstore.Open("grpc://"+p.grpc, &grpcstore.Options{HeadTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// refused runs the command and wants one line on stderr and exit code 1.
func refused(t *testing.T, want []string, args ...string) {
	t.Helper()
	refusedWith(t, exitFailed, want, args...)
}

func refusedWith(t *testing.T, code int, want []string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stderr, stdout bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Stderr, cmd.Stdout = &stderr, &stdout
	err := cmd.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Fatalf("%v: %v, want exit code %d\n%s", args, err, code, &stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stderr.String(), "\n"), "\n")
	if len(lines) != 1 || stdout.Len() > 0 {
		t.Errorf("%v: %d lines of error, want one\n%s%s", args, len(lines), &stderr, &stdout)
	}
	for _, w := range want {
		if !strings.Contains(stderr.String(), w) {
			t.Errorf("%v: %q lacks %q", args, stderr.String(), w)
		}
	}
	if strings.Contains(stderr.String(), "secret") {
		t.Errorf("%v: a password is told: %s", args, &stderr)
	}
}

func put(n int) flags.Commit {
	def := fmt.Appendf(nil, `{"defaultVariant":"v","state":"ENABLED","variants":{"v":%d}}`, n)
	return flags.Commit{Set: "default", ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("n"), Bytes: def}}}
}

// TestLife is a router's from its first start: the sample, a write, SIGTERM, and
// the write is there after the next start.
func TestLife(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	p := start(t, "--data-dir", dir)
	token, err := flags.ParseToken(p.token)
	if err != nil || token.Set != "default" || token.Revision != 1 {
		t.Errorf("announced token %q, %v", p.token, err)
	}
	for _, url := range []string{p.page, p.ops + "/readyz", p.ops + "/livez", p.ops + "/metrics"} {
		if status, body := fetch(t, url); status != http.StatusOK || body == "" {
			t.Errorf("%s: %d", url, status)
		}
	}
	if _, body := fetch(t, p.page); !strings.Contains(body, "new-checkout") {
		t.Error("the page lacks the sample")
	}
	accepted, err := p.client(t).Apply(t.Context(), put(1))
	if err != nil {
		t.Fatal(err)
	}
	host, _, err := net.SplitHostPort(accepted.Address)
	if err != nil || host != "127.0.0.1" {
		t.Errorf("the commit's address is %q", accepted.Address)
	}
	if err := p.signal(t, syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.logged())
	}
	p = start(t, "--data-dir", dir, "--seed", writeFile(t, "other.json", `{"flags":{}}`))
	if head, err := p.client(t).Head(t.Context(), "default"); err != nil || head != accepted.Head() {
		t.Errorf("after a restart: %+v, %v, want %+v", head, err, accepted.Head())
	}
}

// TestTermWhileBusy: SIGTERM during writes ends with exit code 0, and every write
// that was acknowledged is there afterwards.
func TestTermWhileBusy(t *testing.T) {
	dir := t.TempDir()
	p := start(t, "--data-dir", dir)
	c := p.client(t)
	var acknowledged flags.Head
	stopped := make(chan error, 1)
	first := make(chan struct{})
	go func() {
		for i := 0; ; i++ {
			accepted, err := c.Apply(context.Background(), put(i))
			if err != nil {
				stopped <- err
				return
			}
			if acknowledged = accepted.Head(); i == 5 {
				close(first)
			}
		}
	}()
	<-first
	if err := p.signal(t, syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.logged())
	}
	if err := <-stopped; flags.ClassOf(err) != flags.ClassTransient {
		t.Errorf("the writer was told %v", err)
	}
	p = start(t, "--data-dir", dir)
	head, err := p.client(t).Head(t.Context(), "default")
	if err != nil || head.Version.Before(acknowledged.Version) {
		t.Errorf("store is at %s, %v; %s was acknowledged", head.Token(), err, acknowledged.Token())
	}
}

// TestMisfortunes: what is wrong outside the command.
func TestMisfortunes(t *testing.T) {
	free := []string{"--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0"}
	with := func(args ...string) []string { return append(args, free...) }
	t.Run("port in use", func(t *testing.T) {
		lis, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = lis.Close() }()
		dir := filepath.Join(t.TempDir(), "data")
		refused(t, []string{"--http-addr", lis.Addr().String(), "in use"},
			"--data-dir", dir, "--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0", "--http-addr", lis.Addr().String())
		if _, err := os.Stat(dir); err == nil {
			t.Error("the store was made although nothing could be served")
		}
	})
	t.Run("corrupt file", func(t *testing.T) {
		path := writeFile(t, "holdfast.db", strings.Repeat("this is no database\n", 1000))
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, []string{path, "damaged"}, with("--store", "bolt:"+path)...)
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the file was changed, %v", err)
		}
	})
	t.Run("file in use", func(t *testing.T) {
		dir := t.TempDir()
		start(t, "--data-dir", dir)
		refused(t, []string{"in use by another process"}, with("--data-dir", dir)...)
	})
	t.Run("unreachable store", func(t *testing.T) {
		refused(t, []string{"mongodb://127.0.0.1:1/flags"}, with("--store", "mongodb://user:secret@127.0.0.1:1/flags")...)
	})
	t.Run("bad seed", func(t *testing.T) {
		path := writeFile(t, "flags.json", `{"flags":{"a":{"state":"ENABLED","variants":{"on":true},"defaultVariant":"of"}}}`)
		dir := filepath.Join(t.TempDir(), "data")
		refusedWith(t, exitUsage, []string{path, "of"}, with("--data-dir", dir, "--seed", path)...)
		refusedWith(t, exitUsage, []string{"nowhere.json"}, with("--data-dir", dir, "--seed", "nowhere.json")...)
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("a store was begun, %v", err)
		}
	})
}

// TestPlaces runs the command with a real cache and a real mirror: both get every
// change, and a mirror of another history is refused at start.
func TestPlaces(t *testing.T) {
	mirror := testenv.Mongo(t)
	cache := "redis://" + testenv.Redis(t) + "?prefix=" + testenv.Name(t)
	p := start(t, "--data-dir", t.TempDir(), "--mirror", mirror, "--cache", cache)
	c := p.client(t)
	accepted, err := c.Apply(t.Context(), put(7))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for look := time.NewTicker(50 * time.Millisecond); ; <-look.C {
		st, err := c.Status(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Mirrors) == 1 && st.Mirrors[0].Version == accepted.Version && len(st.Caches) == 1 && st.Caches[0].Version == accepted.Version {
			break
		}
	}
	reader, err := rediscache.Open(cache, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reader.Close() }()
	entry, err := reader.Get(ctx, cachestrategy.Query{Set: "default"})
	if err != nil || entry.Head != accepted.Head() {
		t.Errorf("cache has %s, %v, want %s", entry.Head.Token(), err, accepted.Head().Token())
	}
	if err := p.signal(t, syscall.SIGTERM); err != nil {
		t.Errorf("after SIGTERM: %v\n%s", err, p.logged())
	}
	refused(t, []string{"another lineage", accepted.Head().Token().String()},
		"--data-dir", t.TempDir(), "--mirror", mirror, "--log-level=error",
		"--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0")

	// The mirror is a store as well: a router over it goes on where the other was.
	p = start(t, "--store", mirror)
	if head, err := p.client(t).Head(ctx, "default"); err != nil || head != accepted.Head() {
		t.Errorf("a router over the mirror is at %s, %v", head.Token(), err)
	}
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// house is the servers of the demo, each on a free loopback port.
type house struct {
	router, redis, mongo *proc
	grpc, ops, mongoURI  string
	redisURL             string
}

func newHouse(dir string) (*house, error) {
	var addrs [5]string
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all at the end, so that no port is given twice
		addrs[i] = l.Addr().String()
	}
	mongoBin := os.Getenv("HOLDFAST_DEVMONGO")
	if mongoBin == "" {
		return nil, errors.New("HOLDFAST_DEVMONGO does not name the MongoDB-protocol server; run `make demo`")
	}
	_, redisPort, err := net.SplitHostPort(addrs[1])
	if err != nil {
		return nil, err
	}
	h := &house{grpc: addrs[3], ops: addrs[4], mongoURI: "mongodb://" + addrs[0] + "/holdfast?retryWrites=false", redisURL: "redis://" + addrs[1]}
	h.mongo = &proc{name: mongoBin, args: []string{"--listen", addrs[0], "--dir", filepath.Join(dir, "mongo")}, ready: dialable(addrs[0])}
	h.redis = &proc{name: "redis-server", args: []string{"--bind", "127.0.0.1", "--port", redisPort, "--save", "", "--appendonly", "no"}, ready: dialable(addrs[1])}
	h.router = &proc{
		name: filepath.Join("bin", "flagrouter"),
		args: []string{"--data-dir", filepath.Join(dir, "router"), "--grpc-addr", h.grpc, "--eval-addr", "127.0.0.1:0", "--http-addr", addrs[2], "--ops-addr", h.ops,
			"--mirror", h.mongoURI, "--cache", h.redisURL},
		ready: h.routerReady,
	}
	return h, os.MkdirAll(filepath.Join(dir, "mongo"), 0o700)
}

func (h *house) startAll(ctx context.Context) error {
	for _, p := range []*proc{h.redis, h.mongo, h.router} {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (h *house) killEverything() error {
	return errors.Join(h.router.kill(), h.redis.kill(), h.mongo.kill())
}

func (h *house) killAll() {
	if err := h.killEverything(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
	}
}

func (h *house) routerReady(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.ops+"/readyz", nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

// flagctl runs the command line and shows what it prints.
func (h *house) flagctl(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, filepath.Join("bin", "flagctl"), append([]string{"--server", h.grpc, "-o", "table"}, args...)...).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		fmt.Print("   ", line)
	}
	return err
}

// proc is a server process that comes back on the same port.
type proc struct {
	name  string
	args  []string
	ready func(context.Context) error
	cmd   *exec.Cmd
	last  string // line it printed last, for when it does not start
}

func (p *proc) start(ctx context.Context) error {
	p.cmd = exec.Command(p.name, p.args...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out, err := p.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := p.cmd.Start(); err != nil {
		p.cmd = nil
		return err
	}
	lines := make(chan string, 64)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case lines <- s.Text():
			default: // nobody wants to read all of it
			}
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case line, ok := <-lines:
			if !ok {
				return fmt.Errorf("%s ended: %s", p.name, p.last)
			}
			p.last = line
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s is not ready: %w: %s", p.name, err, p.last)
		}
	}
}

func (p *proc) kill() error {
	if p.cmd == nil {
		return nil
	}
	err := p.cmd.Process.Kill()
	_ = p.cmd.Wait() // "signal: killed" is what we asked for
	p.cmd = nil
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

func dialable(addr string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

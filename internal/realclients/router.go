package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

// addresses is where the router listens.
type addresses struct {
	Eval string `json:"eval"`
	Sync string `json:"sync"`
	HTTP string `json:"http"`
	Key  string `json:"key"` // of the role evaluator; empty where none is asked for
	ops  string
}

// router is a flagrouter process that comes back on the same ports.
type router struct {
	addresses
	bin    string // folder of the programs
	dir    string
	origin string // of the page, which may ask from there
	auth   string // off or keys
	admin  string // the key of flagctl, if any
	cmd    *exec.Cmd
	log    tail
}

// startRouter starts a router on a new store with both flag sets. auth is off or keys.
func startRouter(ctx context.Context, bin, dir, origin, auth string) (*router, error) {
	r := &router{bin: bin, dir: filepath.Join(dir, auth), origin: origin, auth: auth}
	if err := os.Mkdir(r.dir, 0o700); err != nil {
		return nil, err
	}
	for _, addr := range []*string{&r.Eval, &r.Sync, &r.HTTP, &r.ops} {
		var err error
		if *addr, err = freeAddr(ctx); err != nil {
			return nil, err
		}
	}
	for name, data := range map[string][]byte{"default.json": defaultFlags, "other.json": otherFlags} {
		if err := os.WriteFile(filepath.Join(r.dir, name), data, 0o600); err != nil {
			return nil, err
		}
	}
	if err := r.open(ctx); err != nil {
		r.kill()
		return nil, err
	}
	return r, nil
}

// open starts the process for the first time.
func (r *router) open(ctx context.Context) error {
	if err := r.start(ctx); err != nil {
		return err
	}
	if r.auth == "keys" {
		if err := r.makeKeys(ctx); err != nil {
			return err
		}
	}
	_, err := r.flagctl(ctx, "--set", "other", "import", filepath.Join(r.dir, "other.json"), "--server", r.Sync)
	return err
}

var keyText = regexp.MustCompile(`\bhf_[a-z2-7]{10}_[a-z2-7]{52}\b`)

// makeKeys takes the key that a router prints at its first start, and makes one for clients.
func (r *router) makeKeys(ctx context.Context) error {
	err := eventually(ctx, func(context.Context) error {
		if r.admin = keyText.FindString(r.log.String()); r.admin == "" {
			return errors.New("the router printed no key")
		}
		return nil
	})
	if err != nil {
		return err
	}
	out, err := r.flagctl(ctx, "apikey", "create", "--role", "evaluator", "--server", r.Sync)
	if r.Key = keyText.FindString(out); err == nil && r.Key == "" {
		err = errors.New("flagctl apikey create printed no key")
	}
	return err
}

// start starts the process and waits until it is ready.
func (r *router) start(ctx context.Context) error {
	r.cmd = exec.CommandContext(ctx, filepath.Join(r.bin, "flagrouter"),
		"--eval-addr", r.Eval, "--grpc-addr", r.Sync, "--http-addr", r.HTTP, "--ops-addr", r.ops,
		"--data-dir", filepath.Join(r.dir, "data"), "--seed", filepath.Join(r.dir, "default.json"),
		"--cors-origin", r.origin, "--auth", r.auth, "--context", "region=lab", "--log-format", "text")
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	r.cmd.Stdout, r.cmd.Stderr = &r.log, &r.log
	if err := r.cmd.Start(); err != nil {
		r.cmd = nil
		return err
	}
	ready := func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.ops+"/readyz", nil)
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
	if err := eventually(ctx, ready); err != nil {
		return fmt.Errorf("flagrouter is not ready: %w\n%s", err, &r.log)
	}
	return nil
}

// stop ends the process as an operator would.
func (r *router) stop() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	err := r.cmd.Wait()
	r.cmd = nil
	return err
}

// kill ends the process if there is one.
func (r *router) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill() // may have ended by itself
	_ = r.cmd.Wait()
	r.cmd = nil
}

// flagctl runs the command line that operators use.
func (r *router) flagctl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(r.bin, "flagctl"), args...)
	if r.admin != "" {
		cmd.Env = append(os.Environ(), "HOLDFAST_API_KEY="+r.admin)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("flagctl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// inBothSets runs a command line about a flag of each set, at the router or, while
// it is away, straight on its store.
func (r *router) inBothSets(ctx context.Context, command []string, flag string, args ...string) error {
	place := []string{"--server", r.Sync}
	if r.cmd == nil {
		place = []string{"--store", "bolt:" + filepath.Join(r.dir, "data", "holdfast.db")}
	}
	for _, set := range []string{"default", "other"} {
		if _, err := r.flagctl(ctx, slices.Concat(place, []string{"--set", set}, command, []string{own(set, flag)}, args)...); err != nil {
			return err
		}
	}
	return nil
}

// own is the name that a flag has in a set: a client that hears of another set's
// flag instead of its own shall not pass.
func own(set, flag string) string {
	if set == "default" {
		return flag
	}
	return set + "-" + flag
}

// freeAddr returns a loopback address that nothing listens on right now. It is
// below the ports that systems hand out by themselves, so that nobody is given it
// while the router is away.
func freeAddr(ctx context.Context) (string, error) {
	var lc net.ListenConfig
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 12000+rand.IntN(20000))
		if l, err := lc.Listen(ctx, "tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", errors.New("no free port")
}

// patience is how long something may take on a busy machine before it is a failure.
const patience = 30 * time.Second

// eventually asks again and again until check returns nil.
func eventually(ctx context.Context, check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("not within %v: %w", patience, err)
		}
	}
}

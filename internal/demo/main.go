// Command demo shows in one terminal what Holdfast is for: a router, Redis, a
// MongoDB-protocol server and a sample service, taken down one after the other
// while the service goes on reading its flags. It ends by itself, and fails if a
// single read failed or went back in time.
//
// It needs redis-server, bin/ from `make build` and the server of
// internal/devmongo; `make demo` sees to all of them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	dir, err := os.MkdirTemp("", "holdfast-demo")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	h, err := newHouse(dir)
	if err != nil {
		return err
	}
	defer h.killAll()
	if err := h.startAll(ctx); err != nil {
		return err
	}
	svc, err := startService(h, filepath.Join(dir, "service.lkg"))
	if err != nil {
		return err
	}
	if err := story(ctx, h, svc); err != nil {
		svc.stop()
		return fmt.Errorf("%w\n%s", err, svc.status())
	}
	return svc.summary()
}

// story is what happens, in order.
func story(ctx context.Context, h *house, svc *service) error {
	steps := []struct {
		say  string
		do   func() error
		want string // layer that answers in the end, or "" for any
	}{
		{"all up", nil, "primary"},
		{"flagctl toggle new-checkout", func() error { return h.flagctl(ctx, "toggle", "new-checkout", "--reason", "demo") }, "primary"},
		{"kill -9 flagrouter", func() error { return h.router.kill() }, "secondary"},
		{"flagrouter back", func() error { return h.router.start(ctx) }, "primary"},
		{"flagctl toggle new-checkout", func() error { return h.flagctl(ctx, "toggle", "new-checkout") }, "primary"},
		{"kill -9 flagrouter, redis-server and the database", h.killEverything, ""},
		{"a second service starts now, with nothing but its last-known-good file", func() error { return svc.coldStart(ctx) }, ""},
		{"everything back", func() error { return h.startAll(ctx) }, "primary"},
		{"flagctl toggle new-checkout", func() error { return h.flagctl(ctx, "toggle", "new-checkout") }, "primary"},
	}
	for _, s := range steps {
		fmt.Printf("\n-- %s\n", s.say)
		if s.do != nil {
			if err := s.do(); err != nil {
				return fmt.Errorf("%s: %w", s.say, err)
			}
		}
		if err := svc.show(ctx, s.want); err != nil {
			return fmt.Errorf("%s: %w", s.say, err)
		}
	}
	return nil
}

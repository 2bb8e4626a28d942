// Command realclients drives published OpenFeature providers against a real
// flagrouter, as applications have them: the npm providers for servers in Node,
// those for browsers in headless Chromium, and plain connect-go and grpc-go
// clients. All of them live through one day of a router: first answers, a toggle,
// an override, an outage, the way back; pages with API keys through a day of one that
// asks for keys.
//
// `make realclients` brings in what it needs and runs it. It prints what failed,
// what was set aside and why, and a summary; it exits with 1 if anything failed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// limit is for all of it; a day takes about 20 seconds.
const limit = 5 * time.Minute

func main() {
	bin := flag.String("bin", "bin", "folder with flagrouter and flagctl")
	modules := flag.String("modules", filepath.Join(".tools", "realclients", "node_modules"), "folder that npm installed the providers into")
	verbose := flag.Bool("v", false, "print every check")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	ctx, cancel := context.WithTimeout(ctx, limit)
	r := &report{verbose: *verbose}
	err := run(ctx, *bin, *modules, r)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "real clients:", err)
	}
	if !r.print(os.Stdout) || err != nil {
		os.Exit(1)
	}
}

// run lets every client have its day. An error means that it could not.
func run(ctx context.Context, bin, modules string, r *report) (err error) {
	dir, err := os.MkdirTemp("", "holdfast-realclients-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := prepare(ctx, dir, modules); err != nil {
		return err
	}
	page, err := newPage(ctx, dir)
	if err != nil {
		return err
	}
	defer page.close()
	defer func() {
		if err != nil || r.failures() > 0 {
			fmt.Fprintf(os.Stderr, "Chromium said:\n%s\n", &page.log)
		}
	}()
	node, err := startNode(ctx, dir)
	if err != nil {
		return err
	}
	defer node.close()
	if err := spend(ctx, bin, dir, page.origin, "off", everybody(node.host, page.host), r); err != nil {
		return err
	}
	return spend(ctx, bin, dir, page.origin, "keys", keyHolders(page.host), r)
}

// spend lets guests have a day with a router of their own.
func spend(ctx context.Context, bin, dir, origin, auth string, guests []guest, r *report) (err error) {
	router, err := startRouter(ctx, bin, dir, origin, auth)
	if err != nil {
		return err
	}
	defer func() {
		router.kill()
		if err != nil || r.failures() > 0 {
			fmt.Fprintf(os.Stderr, "flagrouter --auth %s said:\n%s\n", auth, keyText.ReplaceAllString(router.log.String(), "(a key)"))
		}
	}()
	return day(ctx, router, guests, r)
}

// prepare puts the scripts into dir, and bundles those of the page.
func prepare(ctx context.Context, dir, modules string) error {
	modules, err := filepath.Abs(modules)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(modules, "@openfeature")); err != nil {
		return fmt.Errorf("the npm providers are not there: run `make realclients`, which installs them: %w", err)
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		return err
	}
	if err := os.CopyFS(dir, scripts); err != nil {
		return err
	}
	bundle := exec.CommandContext(ctx, filepath.Join(modules, ".bin", "esbuild"), filepath.Join(dir, "js", "page.mjs"),
		"--bundle", "--format=iife", "--log-level=warning", "--outfile="+filepath.Join(dir, "page.js"))
	if out, err := bundle.CombinedOutput(); err != nil {
		return fmt.Errorf("esbuild: %w\n%s", err, out)
	}
	return nil
}

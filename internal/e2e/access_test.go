package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

var firstKey = regexp.MustCompile(`first admin key, shown only now: (hf_[a-z2-7]{10}_[a-z2-7]{52})`)

// with returns c with more flags.
func (c cli) with(args ...string) cli {
	return cli{c.t, append(append([]string{}, c.args...), args...)}
}

// denied wants exit code 6, the message, and a hint.
func (c cli) denied(says string, args ...string) {
	c.t.Helper()
	r := c.try(args...)
	if r.code != 6 || !strings.Contains(r.stderr, says) || !strings.Contains(r.stderr, "hint: ") {
		c.t.Errorf("flagctl %v: exit %d, want 6 and %q\n%s%s", args, r.code, says, r.stdout, r.stderr)
	}
}

// newKey makes an API key.
func (c cli) newKey(args ...string) (id, text string) {
	c.t.Helper()
	var made struct{ ID, Key string }
	if err := json.Unmarshal([]byte(c.run(append([]string{"-o", "json", "apikey", "create"}, args...)...)), &made); err != nil {
		c.t.Fatal(err)
	}
	return made.ID, made.Key
}

// startGuarded starts a router that asks for keys and returns the first of them.
func startGuarded(t *testing.T, args ...string) (r *router, admin string) {
	t.Helper()
	r = startRouter(t, append([]string{"--auth", "keys"}, args...)...)
	shown := firstKey.FindAllStringSubmatch(r.log.String(), -1)
	if len(shown) != 1 || strings.Count(r.log.String(), shown[0][1]) != 1 {
		t.Fatalf("the first key was shown %d times", len(shown))
	}
	return r, shown[0][1]
}

// TestKeys: a router with --auth keys, from its first start on. Nobody does anything
// without a key, and with one what its role allows, on its sets, until it has ended.
func TestKeys(t *testing.T) {
	r, first := startGuarded(t)
	r.cli().denied("API key is needed", "list")
	r.cli().with("--api-key", "hf_aaaaaaaaaa_"+strings.Repeat("a", 52)).denied("unknown API key", "list")
	admin := r.cli().with("--api-key", first)
	admin.run("sets", "create", "shop")
	for _, set := range []string{"default", "shop"} {
		admin.run("-s", set, "create", "beta", "--default", "on")
	}

	id, text := admin.newKey("--role", "evaluator", "--set", "shop", "--name", "checkout")
	path := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	app := r.cli().with("--api-key-file", path)
	if got := app.run("-s", "shop", "-o", "json", "eval", "beta"); !strings.Contains(got, `"value": true`) {
		t.Errorf("eval: %s", got)
	}
	app.denied("may not", "eval", "beta") // of the set default
	app.denied("may not", "-s", "shop", "disable", "beta")
	app.denied("may not", "apikey", "list")
	client := open(t, standard.Config{Primary: "grpc://" + r.grpc, APIKeyFile: path, Set: "shop", Logger: slog.New(slog.DiscardHandler)})
	if err := client.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if d := client.BoolDetails(t.Context(), "beta", flags.Entity("me"), false); !d.Value || d.Layer() != "primary" {
		t.Errorf("SDK: %+v from %s", d.Value, d.Layer())
	}

	t.Run("revoked", func(t *testing.T) {
		watch := startWatch(t, r.cli().with("--api-key-file", path, "-s", "shop"))
		eventually(t, 30*time.Second, "the watch tells of a change", func() error {
			admin.run("-s", "shop", "toggle", "beta") // again, as it may have been made before the watch began
			if out := watch.out.String(); !strings.Contains(out, "beta") {
				return fmt.Errorf("it says %q", out)
			}
			return nil
		})
		admin.run("apikey", "revoke", id)
		watch.ends(6, "revoked")
		app.denied("revoked", "-s", "shop", "eval", "beta")
	})
	t.Run("expired", func(t *testing.T) {
		_, text := admin.newKey("--role", "reader", "--expires", "2s")
		late := r.cli().with("--api-key", text)
		eventually(t, 30*time.Second, "key expired", func() error {
			if got := late.try("list"); got.code == 0 {
				return fmt.Errorf("it still works")
			}
			return nil
		})
		late.denied("the API key has expired", "list")
	})

	if code := r.stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	r.start()
	if shown := firstKey.FindAllString(r.log.String(), -1); len(shown) != 1 {
		t.Errorf("a first key was shown %d times in two starts", len(shown))
	}
	admin.run("list")
}

// watching is a flagctl watch under way.
type watching struct {
	t     *testing.T
	cmd   *exec.Cmd
	out   *lockedBuffer
	ended chan struct{}
}

func startWatch(t *testing.T, c cli) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &watching{t: t, out: &lockedBuffer{}, ended: make(chan struct{})}
	w.cmd = exec.CommandContext(ctx, filepath.Join(bin, "flagctl"), append(c.args, "watch", "-o", "table")...)
	w.cmd.Stdout, w.cmd.Stderr = w.out, w.out
	if err := w.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	go func() {
		_ = w.cmd.Wait() // the exit code is looked at
		close(w.ended)
	}()
	t.Cleanup(func() {
		cancel()
		<-w.ended
	})
	return w
}

func (w *watching) ends(code int, says string) {
	w.t.Helper()
	select {
	case <-w.ended:
	case <-time.After(20 * time.Second):
		w.t.Fatalf("watch goes on: %s", w.out)
	}
	if got := w.cmd.ProcessState.ExitCode(); got != code || !strings.Contains(w.out.String(), says) {
		w.t.Errorf("watch ended with %d: %s", got, w.out)
	}
}

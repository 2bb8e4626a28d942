package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

// TestRelay: a router in front of a router serves what that has, takes writes for it, and
// goes on without it, also after a start of its own; it never goes back.
func TestRelay(t *testing.T) {
	upstream := startRouter(t)
	file := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	upstream.cli().run("import", file)
	relay := startRouter(t, "--store", "grpc://"+upstream.grpc)
	client := open(t, standard.Config{Primary: "grpc://" + relay.grpc})
	ent := flags.Entity("tenant-42")
	holds := func(c *flags.Client, token string) {
		t.Helper()
		want, err := flags.ParseToken(token)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, 20*time.Second, "the client at "+token, func() error {
			d := c.BoolDetails(t.Context(), "new-checkout", ent, false)
			if have := d.Token(); have.Lineage != want.Lineage || have.Version.Before(want.Version) {
				return fmt.Errorf("it is at %s", have)
			}
			return nil
		})
	}
	if err := client.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	rd := read(t, client)

	t.Log("a write upstream is confirmed once the relay's client has it")
	token := tokenIn(upstream.cli().run("toggle", "new-checkout", "--wait=20s"))
	if d := client.BoolDetails(t.Context(), "new-checkout", ent, false); d.Token().String() != token {
		t.Errorf("confirmed at %s, the client is at %s", token, d.Token())
	}
	t.Log("a write through the relay is the upstream's, and can be read at once")
	token = tokenIn(relay.cli().run("toggle", "new-checkout", "--reason", "through the relay"))
	if d := client.BoolDetails(flags.AtLeast(t.Context(), mustToken(t, token)), "new-checkout", ent, false); d.Freshness != flags.FreshnessFresh || d.Token().String() != token {
		t.Errorf("wrote %s, read %s, %s", token, d.Token(), d.Freshness)
	}
	if out := upstream.cli().run("history", "-o", "json"); !strings.Contains(out, "through the relay") || !strings.Contains(out, token) {
		t.Errorf("upstream does not know of it:\n%s", out)
	}

	t.Log("upstream dies")
	upstream.kill()
	if out := relay.cli().run("list"); !strings.Contains(out, "new-checkout") {
		t.Errorf("list: %s", out)
	}
	eventually(t, 10*time.Second, "history", func() error { // its disk is brought up to date from memory
		if out := relay.cli().run("history", "-o", "json"); !strings.Contains(out, token) {
			return fmt.Errorf("%s", out)
		}
		return nil
	})
	refused := relay.cli().try("toggle", "new-checkout")
	if refused.code != 1 || !strings.Contains(refused.stderr, "nothing was written") {
		t.Errorf("a write without the upstream: exit code %d, %s", refused.code, refused.stderr)
	}
	if d := client.BoolDetails(flags.Fresh(t.Context()), "new-checkout", ent, false); d.Freshness != flags.FreshnessNotFresh {
		t.Errorf("nobody can confirm that it is the newest, but it is said to be %s", d.Freshness)
	}

	t.Log("the relay starts anew without it")
	if code := relay.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	relay.start()
	holds(client, token)
	holds(open(t, standard.Config{Primary: "grpc://" + relay.grpc}), token)
	if out := relay.cli().run("get", "new-checkout", "-o", "json"); !strings.Contains(out, "new-checkout") {
		t.Errorf("get: %s", out)
	}

	t.Log("upstream is back")
	upstream.start()
	holds(client, tokenIn(upstream.cli().run("toggle", "new-checkout")))
	eventually(t, 20*time.Second, "the relay takes writes", func() error {
		r := relay.cli().try("toggle", "new-checkout")
		if token = tokenIn(r.stdout); r.code != 0 {
			return fmt.Errorf("%s", r.stderr)
		}
		return nil
	})
	holds(client, token)
	rd.finish(t)
}

func mustToken(t *testing.T, text string) flags.Token {
	t.Helper()
	token, err := flags.ParseToken(text)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

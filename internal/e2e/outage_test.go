package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// TestOutages takes the layers of a running service down one after the other and
// brings them back, while it reads a thousand times a second. No read may fail
// or go back, and the toggles made meanwhile must arrive by whatever is left.
func TestOutages(t *testing.T) {
	redis, mongo := testenv.StartRedis(t), testenv.StartMongo(t)
	uri := testenv.MongoURI(mongo, testenv.Name(t))
	cache := "redis://" + redis.Addr()
	r := startRouter(t, "--mirror", uri, "--cache", cache)
	file := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cli().run("import", file)

	log := &lockedBuffer{}
	lkg := filepath.Join(t.TempDir(), "app.lkg")
	cfg := standard.Config{Primary: "grpc://" + r.grpc, Secondary: uri, Cache: cache, LastKnownGood: lkg, Logger: textLogger(log)}
	cfg.Breaker.Cooldown = 2 * time.Second // the ladder is proved in virtual time; here it only has to be short
	cfg.Breaker.MaxCooldown = 4 * time.Second
	client := open(t, cfg)
	if err := client.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	rd := read(t, client)
	ent := flags.Entity("tenant-42")
	showsLayer := func(layer string) {
		t.Helper()
		eventually(t, patience, "answers from "+layer, func() error {
			if d := client.BoolDetails(t.Context(), "new-checkout", ent, false); d.Layer() != layer {
				return fmt.Errorf("layer %s, %s, status %+v", d.Layer(), d.Token(), client.Status())
			}
			return nil
		})
	}
	sees := func(variant string) {
		t.Helper()
		eventually(t, patience, "new-checkout "+variant, func() error {
			if d := client.BoolDetails(t.Context(), "new-checkout", ent, false); d.Variant != variant {
				return fmt.Errorf("%s at %s from %s", d.Variant, d.Token(), d.Layer())
			}
			return nil
		})
	}
	stays := func(variant string) {
		t.Helper()
		if d := client.BoolDetails(t.Context(), "new-checkout", ent, false); d.Variant != variant {
			t.Errorf("%s at %s from %s, want %s", d.Variant, d.Token(), d.Layer(), variant)
		}
	}
	direct := cli{t, []string{"--store", uri}}

	r.cli().run("toggle", "new-checkout")
	sees("on")
	eventually(t, patience, "mirror and cache current", func() error { return mirrored(r, direct) })

	t.Log("Redis killed alone: nobody notices")
	redis.Kill()
	r.cli().run("toggle", "new-checkout")
	sees("off")
	redis.Start(t)
	r.cli().run("toggle", "new-checkout")
	sees("on")
	eventually(t, patience, "mirror current", func() error { return mirrored(r, direct) })

	t.Log("router killed")
	r.kill()
	showsLayer("secondary")
	opens(t, client)
	if !regexp.MustCompile(`level=ERROR .*layer=primary.* failures=4 .*cooldown=2`).MatchString(log.String()) {
		t.Errorf("the trip was not logged as an error:\n%s", log)
	}

	t.Log("Redis killed as well")
	redis.Kill()
	stays("on")

	t.Log("Mongo killed as well: the last known flags")
	mongo.Kill()
	stays("on")
	kept, err := os.Stat(lkg)
	if err != nil || kept.Size() == 0 {
		t.Fatalf("no last-known-good file: %v", err)
	}

	t.Log("a process that starts while everything is dead")
	copied := filepath.Join(t.TempDir(), "second.lkg")
	copyFile(t, lkg, copied)
	cold := cfg
	cold.LastKnownGood = copied
	second := open(t, cold)
	if d := second.BoolDetails(t.Context(), "new-checkout", ent, false); d.Variant != "on" || d.Freshness == flags.FreshnessFresh {
		t.Errorf("cold start: %s %s %s from %s", d.Variant, d.ErrorCode, d.Freshness, d.Layer())
	}
	coldReader := read(t, second)

	t.Log("Mongo back")
	mongo.Start(t)
	showsLayer("secondary")
	t.Log("Redis back")
	redis.Start(t)
	t.Log("router back")
	r.start()
	showsLayer("primary")
	r.cli().run("toggle", "new-checkout")
	sees("off")
	eventually(t, patience, "the second process too", func() error {
		if d := second.BoolDetails(context.Background(), "new-checkout", ent, true); d.Variant != "off" {
			return fmt.Errorf("%s at %s from %s", d.Variant, d.Token(), d.Layer())
		}
		return nil
	})
	coldReader.finish(t)
	rd.finish(t)
	if !regexp.MustCompile(`level=INFO .*layer=primary.* open=\d`).MatchString(log.String()) {
		t.Errorf("the end of the outage was not logged:\n%s", log)
	}
}

// opens waits until the gate of the primary has opened: after four failed tries,
// one a second.
func opens(t *testing.T, client *flags.Client) {
	t.Helper()
	eventually(t, patience, "the primary's gate open", func() error {
		status := client.Status()
		if primary, _ := status.ByName("primary"); primary.Breaker != flags.GateOpen {
			return fmt.Errorf("it is %s", primary.Breaker)
		}
		return nil
	})
}

// mirrored reports whether the mirror has the router's newest revision.
func mirrored(r *router, direct cli) error {
	want, have := r.cli().try("status", "-o", "json"), direct.try("status", "-o", "json")
	token := tokenIn(want.stdout)
	if token == "" || tokenIn(have.stdout) != token {
		return fmt.Errorf("router at %q, mirror at %q (%s)", token, tokenIn(have.stdout), have.stderr)
	}
	return nil
}

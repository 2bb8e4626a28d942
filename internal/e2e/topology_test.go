package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// topology is one way to run Holdfast: where writers write and what a service is
// configured with.
type topology struct {
	name  string
	setup func(t *testing.T) (cli, standard.Config)
}

var topologies = []topology{
	{"Mongo alone", func(t *testing.T) (cli, standard.Config) {
		uri := testenv.Mongo(t)
		c := cli{t, []string{"--store", uri}}
		return c, standard.Config{Primary: uri}
	}},
	{"primary alone", func(t *testing.T) (cli, standard.Config) {
		r := startRouter(t)
		return r.cli(), standard.Config{Primary: "grpc://" + r.grpc}
	}},
	{"primary and secondary", func(t *testing.T) (cli, standard.Config) {
		uri := testenv.Mongo(t)
		r := startRouter(t, "--mirror", uri)
		return r.cli(), standard.Config{Primary: "grpc://" + r.grpc, Secondary: uri}
	}},
	{"memory cache and both", func(t *testing.T) (cli, standard.Config) {
		uri := testenv.Mongo(t)
		r := startRouter(t, "--mirror", uri)
		return r.cli(), standard.Config{Primary: "grpc://" + r.grpc, Secondary: uri, Cache: "memory:"}
	}},
	{"Redis and both", func(t *testing.T) (cli, standard.Config) {
		uri, redis := testenv.Mongo(t), "redis://"+testenv.Redis(t)+"?prefix="+testenv.Name(t)
		r := startRouter(t, "--mirror", uri, "--cache", redis)
		return r.cli(), standard.Config{Primary: "grpc://" + r.grpc, Secondary: uri, Cache: redis}
	}},
	{"router on Mongo", func(t *testing.T) (cli, standard.Config) {
		uri := testenv.Mongo(t)
		r := startRouter(t, "--store", uri)
		return r.cli(), standard.Config{Primary: "grpc://" + r.grpc, Secondary: uri}
	}},
}

// TestTopologies: the same program sees the same toggle however it is connected,
// without asking for it.
func TestTopologies(t *testing.T) {
	file := filepath.Join(t.TempDir(), "flags.json")
	if err := os.WriteFile(file, []byte(sample), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range topologies {
		t.Run(tt.name, func(t *testing.T) {
			c, cfg := tt.setup(t)
			c.run("import", file, "--set", "shop")
			cfg.Set = "shop"
			client := open(t, cfg)
			seesToggle(t, client, func() { c.run("toggle", "new-checkout", "--set", "shop") })
		})
	}
	t.Run("flag file alone", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "flags.json")
		if err := os.WriteFile(path, []byte(sample), 0o600); err != nil {
			t.Fatal(err)
		}
		client := open(t, standard.Config{Primary: "file:" + path})
		seesToggle(t, client, func() {
			on := []byte(replaceOnce(t, sample, `"defaultVariant": "off"`, `"defaultVariant": "on"`))
			if err := os.WriteFile(path, on, 0o600); err != nil {
				t.Fatal(err)
			}
		})
	})
}

func seesToggle(t *testing.T, client *flags.Client, toggle func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := client.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	ent := flags.Entity("tenant-42")
	if client.Bool(ctx, "new-checkout", ent, true) {
		t.Fatal("new-checkout is on before the toggle")
	}
	changed := make(chan flags.Change, 16)
	defer client.OnChange("new-checkout", func(c flags.Change) { changed <- c })()
	toggle()
	for !client.Bool(ctx, "new-checkout", ent, false) {
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("the toggle did not arrive: %+v", client.Status())
		}
	}
}

// TestEachRevisionArrives: one toggle after another, each is seen.
func TestEachRevisionArrives(t *testing.T) {
	r := startRouter(t)
	client := open(t, standard.Config{Primary: "grpc://" + r.grpc})
	c := r.cli()
	eventually(t, patience, "listed as a client", func() error {
		if out := c.run("clients"); !strings.Contains(out, filepath.Base(os.Args[0])) {
			return errors.New(out)
		}
		return nil
	})
	c.run("create", "counter", "--type", "number", "--variant", "v0=0", "--variant", "v1=1")
	for i := range 6 {
		want := fmt.Sprintf("v%d", (i+1)%2)
		c.run("toggle", "counter")
		eventually(t, patience, "counter "+want, func() error {
			if d := client.IntDetails(t.Context(), "counter", flags.Entity("x"), -1); d.Variant != want {
				return fmt.Errorf("counter is %q at %s", d.Variant, d.Token())
			}
			return nil
		})
	}
}

package standard_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(testenv.Main(m)) }

const flagFile = `{"flags":{"beta":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"DEFAULT"}}}`

func writeFlags(t *testing.T, path, variant string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Replace(flagFile, "DEFAULT", variant, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, cfg standard.Config) *flags.Client {
	t.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	c, err := standard.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// A flag file alone is a whole installation: no network, and a change is seen without asking.
func TestFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFlags(t, path, "off")
	c := open(t, standard.Config{Primary: "file:" + path})
	changed := make(chan flags.Change, 1)
	defer c.OnChange("beta", func(ch flags.Change) { changed <- ch })()
	if d := c.BoolDetails(t.Context(), "beta", flags.Entity("me"), true); d.Value || d.Layer() != "primary" {
		t.Fatalf("got %v from %q", d.Value, d.Layer())
	}
	writeFlags(t, path, "on")
	select {
	case ch := <-changed:
		if ch.Key != "beta" || !c.Bool(t.Context(), "beta", flags.Entity("me"), false) {
			t.Errorf("after %+v beta is off", ch)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the change of the file was not seen")
	}
}

// What one process was told is there for the next, though nobody can be reached.
func TestLastKnownGoodSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	path, lkg := filepath.Join(dir, "flags.json"), filepath.Join(dir, "flags.lkg")
	writeFlags(t, path, "on")
	first, err := standard.New(t.Context(), standard.Config{Primary: "file:" + path, LastKnownGood: lkg})
	if err != nil {
		t.Fatal(err)
	}
	token := first.Token(t.Context())
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	c := open(t, standard.Config{Primary: "grpc://127.0.0.1:1", LastKnownGood: lkg})
	d := c.BoolDetails(t.Context(), "beta", flags.Entity("me"), false)
	if !d.Value || d.Layer() != "disk" || d.Freshness != flags.FreshnessStale || d.Token() != token {
		t.Errorf("got %v from %q at %v, %v; want what was known at %v", d.Value, d.Layer(), d.Token(), d.Freshness, token)
	}
}

func TestWrongConfig(t *testing.T) {
	for _, tt := range []struct {
		cfg  standard.Config
		want string
	}{
		{standard.Config{Cache: "memcached://x"}, `unknown cache strategy "memcached" (known: memory, redis)`},
		{standard.Config{Cache: "memory:?max-entries=many"}, "max-entries=many"},
		{standard.Config{Primary: "rest+http://router:8016?key=secret"}, `primary "rest+http://router:8016": flags: invalid target`},
		{standard.Config{Secondary: "rest+https://user:secret@router"}, "API key"},
		{standard.Config{Primary: "rest+ftp://router"}, "unknown scheme"},
		{standard.Config{Primary: "ftp://user:secret@host/x?y"}, `primary "ftp://host/x": unknown scheme`},
		{standard.Config{Primary: "ftp:user:secret@host"}, `primary "host": unknown scheme`},
		{standard.Config{Primary: "ftp://user:secret?x@host"}, `primary "ftp://...": unknown scheme`},
		{standard.Config{Primary: "ftp://host/x?password=a@secret"}, `primary "ftp://...": unknown scheme`},
		{standard.Config{Secondary: "mongodb://user:secret@host:port/db"}, "mongodb://host:..."},
		{standard.Config{Primary: "nonsense"}, "unknown scheme"},
		{standard.Config{Primary: "file:"}, "names no file"},
		{standard.Config{Primary: "grpc://nowhere"}, "want grpc://HOST:PORT"},
		{standard.Config{Secondary: "grpc://u:secret@h:1"}, "want grpc://HOST:PORT"},
		{standard.Config{Set: "a b"}, "set name"},
		{standard.Config{CacheMargin: 2}, "CacheMargin"},
		{standard.Config{CacheTTL: -1}, "CacheTTL"},
		{standard.Config{Breaker: standard.Breaker{Failures: -1}}, "Breaker.Failures"},
	} {
		c, err := standard.New(t.Context(), tt.cfg)
		if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want it to say %s", err, tt.want)
		}
		if c != nil {
			t.Errorf("%s: there is a client", tt.want)
		}
	}
}

func TestOwnStrategyByName(t *testing.T) {
	own := memorycache.New(nil)
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFlags(t, path, "on")
	put := make(chan error, 8)
	c := open(t, standard.Config{
		Primary: "file:" + path, Cache: "mine",
		Strategies: map[string]cachestrategy.Factory{"mine": func(string) (cachestrategy.Strategy, error) { return own, nil }},
		Observer: flags.Observer{Answered: func(_, op string, _ time.Duration, err error) {
			if op == "put" {
				put <- err
			}
		}},
	})
	if err := <-put; err != nil {
		t.Fatal(err)
	}
	e, err := own.Get(t.Context(), cachestrategy.Query{Set: "default"})
	if err != nil || e.Head.Token() != c.Token(t.Context()) {
		t.Errorf("the cache has %v, %v; want %v", e.Head.Token(), err, c.Token(t.Context()))
	}
}

// Hooks are around the reads of a client that New has built.
func TestHooks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	writeFlags(t, path, "on")
	var saw []flags.FlagDetails
	c := open(t, standard.Config{Primary: "file:" + path, Hooks: []flags.Hook{{
		Finally: func(_ context.Context, _ flags.HookedRead, d flags.FlagDetails) { saw = append(saw, d) },
	}}})
	if !c.Bool(t.Context(), "beta", flags.Entity("me"), false) || len(saw) != 1 || saw[0].Key != "beta" || saw[0].Variant != "on" {
		t.Errorf("the hook saw %+v", saw)
	}
}

func TestFromEnv(t *testing.T) {
	for name, text := range map[string]string{
		"SET": "checkout-prod", "PRIMARY": "grpc://router:8015", "SECONDARY": "mongodb://db/holdfast", "CACHE": "redis://cache:6379?prefix=p",
		"LAST_KNOWN_GOOD": "/var/lib/app/flags.lkg", "API_KEY": "key", "API_KEY_FILE": "key.txt", "TLS_CERT": "c.pem", "TLS_KEY": "k.pem", "TLS_CA": "ca.pem",
		"PRIMARY_TIMEOUT": "2s", "SECONDARY_TIMEOUT": "3s", "CACHE_TIMEOUT": "50ms", "CACHE_TTL": "30s", "CACHE_MARGIN": "20%",
		"CACHE_LIFETIMES": "checkout=300s/30s, default=60s/10%,bare=90s", "CACHE_READ_ONLY": "true", "MAX_STALENESS": "1h", "STRICT": "true", "START_TIMEOUT": "4s",
		"BREAKER_FAILURES": "7", "BREAKER_COOLDOWN": "5s", "BREAKER_MAX_COOLDOWN": "6s",
	} {
		t.Setenv("HOLDFAST_"+name, text)
	}
	want := standard.Config{
		Set: "checkout-prod", Primary: "grpc://router:8015", Secondary: "mongodb://db/holdfast", Cache: "redis://cache:6379?prefix=p",
		LastKnownGood: "/var/lib/app/flags.lkg", APIKey: "key", APIKeyFile: "key.txt", TLSCert: "c.pem", TLSKey: "k.pem", TLSCA: "ca.pem",
		PrimaryTimeout: 2 * time.Second, SecondaryTimeout: 3 * time.Second, CacheTimeout: 50 * time.Millisecond, CacheTTL: 30 * time.Second, CacheMargin: 0.2,
		CacheLifetimes: map[string]cachestrategy.Lifetime{
			"checkout": {TTL: 300 * time.Second, Margin: 30 * time.Second}, "default": {TTL: time.Minute, Part: 0.1}, "bare": {TTL: 90 * time.Second},
		},
		CacheReadOnly: true, MaxStaleness: time.Hour, Strict: true, StartTimeout: 4 * time.Second,
		Breaker: standard.Breaker{Failures: 7, Cooldown: 5 * time.Second, MaxCooldown: 6 * time.Second},
	}
	if got, err := standard.FromEnv(); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	t.Setenv("HOLDFAST_CACHE_MARGIN", "15s")
	if got, err := standard.FromEnv(); err != nil || got.CacheMargin != 0 || got.CacheMarginTime != 15*time.Second {
		t.Errorf("a margin of 15 s: %v, %v, %v", got.CacheMargin, got.CacheMarginTime, err)
	}
	t.Setenv("HOLDFAST_START_TIMEOUT", "soon")
	if _, err := standard.FromEnv(); err == nil || !strings.Contains(err.Error(), `HOLDFAST_START_TIMEOUT is "soon"`) {
		t.Errorf("got %v", err)
	}
}

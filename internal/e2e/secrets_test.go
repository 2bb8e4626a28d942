package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// The two halves of every password in these tests; neither may be seen anywhere.
const front, back = "hunter", "4711"

// passwords are written as people write them, rightly and wrongly.
var passwords = []string{
	front + "-" + back, front + "%2F" + back, front + "@" + back, front + "?" + back, front + "/" + back, front + "%zz" + back, front + "#" + back,
}

// addresses returns URLs with each of the passwords, and some that are mistyped.
func addresses(forms ...string) (all []string) {
	for _, form := range forms {
		for _, password := range passwords {
			all = append(all, fmt.Sprintf(form, password))
		}
	}
	return all
}

// told fails the test where a text has a part of a password.
func told(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range []string{front, back} {
		if at := strings.Index(text, secret); at >= 0 {
			t.Errorf("%s tells a password: ...%s...", where, text[max(0, at-120):min(len(text), at+40)])
		}
	}
}

// TestNoSecretFromSDK: neither logs nor errors nor the status of a client have what
// is secret in its configuration, whether that can be used or not.
func TestNoSecretFromSDK(t *testing.T) {
	try := func(cfg standard.Config) {
		log := &lockedBuffer{}
		cfg.Logger = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		cfg.PrimaryTimeout, cfg.SecondaryTimeout, cfg.CacheTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
		cfg.StartTimeout, cfg.Breaker.Failures = 100*time.Millisecond, 1
		client, err := standard.New(t.Context(), cfg)
		if err != nil {
			told(t, "an error of New", err.Error())
			return
		}
		d := client.BoolDetails(flags.Fresh(t.Context()), "beta", flags.Entity("me"), false)
		told(t, "an answer", fmt.Sprintf("%+v %v", d, d.Err()))
		told(t, "Status", fmt.Sprintf("%+v", client.Status()))
		if err := client.Close(); err != nil {
			told(t, "Close", err.Error())
		}
		told(t, "the log", log.String())
	}
	origins := []string{
		"mongodb://user:%s@127.0.0.1:1/holdfast", "mongodb://127.0.0.1:1/holdfast?tlsCertificateKeyFilePassword=%s", "mongodb:user:%s@127.0.0.1:1/x",
		"grpc://user:%s@127.0.0.1:1", "grpc://127.0.0.1:1?key=%s", "rest+http://user:%s@127.0.0.1:1", "rest+http://127.0.0.1:1/?key=%s", "mysql://user:%s@127.0.0.1:1/x",
	}
	for _, address := range addresses(origins...) {
		try(standard.Config{Primary: address})
		try(standard.Config{Secondary: address})
	}
	for _, address := range addresses("redis://user:%s@127.0.0.1:1", "rediss://:%s@127.0.0.1:1/0?prefix=p", "redis://127.0.0.1:1?password=%s", "memcached://user:%s@127.0.0.1:1") {
		try(standard.Config{Cache: address})
	}
	try(standard.Config{Cache: "redis://:" + front + "-" + back})
	try(standard.Config{Primary: "grpc://127.0.0.1:1", APIKey: "hf_" + front + "_" + back})
	try(standard.Config{Primary: "rest+http://127.0.0.1:1", APIKey: "hf_" + front + "_" + back})
}

// TestNoSecretFromRouter: a configuration that cannot be used is refused without its
// passwords.
func TestNoSecretFromRouter(t *testing.T) {
	for flag, forms := range map[string][]string{
		"--store":   {"mongodb://user:%s@127.0.0.1:x/db", "mongodb://127.0.0.1:1/db?retryWrites=%s", "mysql://user:%s@db", "mongodb:user:%s@db"},
		"--mirror":  {"mongodb://user:%s@127.0.0.1:x/db", "postgres://user:%s@db"},
		"--cache":   {"redis://user:%s@127.0.0.1:x", "redis://127.0.0.1?nonsense=%s", "memcached://:%s@cache"},
		"--webhook": {"https://user:%s@example.com/#x", "https://example.com/%s"},
	} {
		for _, address := range addresses(forms...) {
			if flag == "--webhook" && strings.Contains(address, front+"#") {
				continue // a # ends the address there
			}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			cmd := exec.CommandContext(ctx, filepath.Join(bin, "flagrouter"), "--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0",
				"--http-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0", "--data-dir", t.TempDir(), "--log-level=debug", flag, address)
			cmd.WaitDelay = time.Second
			out, err := cmd.CombinedOutput()
			cancel()
			if err == nil {
				t.Errorf("%s %s: it starts", flag, address)
			}
			told(t, "flagrouter "+flag, string(out))
		}
	}
}

// TestNoSecretInTheHouse: a router whose databases cannot be reached, or refuse the
// password, tells nobody that password: log, status, pages and metrics are without it,
// and so is what flagctl says of such addresses.
func TestNoSecretInTheHouse(t *testing.T) {
	const password = front + "-" + back
	secret := testenv.Replace(t, filepath.Join(t.TempDir(), "secret"), []byte(strings.Repeat(password, 4)))
	refusing := "redis://user:" + password + "@" + testenv.Redis(t)
	r := startRouter(t, "--log-level=debug",
		"--mirror", "mongodb://user:"+password+"@127.0.0.1:1/holdfast?appName="+password,
		"--cache", refusing, "--webhook", "http://127.0.0.1:1/"+password+"?token="+password+"#"+secret)
	r.cli().run("create", "beta")
	eventually(t, 30*time.Second, "the router has met them all", func() error {
		// The log has them all, the status of a router mirrors and caches only.
		status := r.cli().try("status", "-o", "json").stdout
		if n, hook := strings.Count(status, `"error"`), strings.Contains(r.log.String(), "webhook"); n < 2 || !hook {
			return fmt.Errorf("%d of 2 in trouble, webhook %v: %s", n, hook, status)
		}
		return nil
	})
	for _, page := range []string{
		"http://" + r.http + "/health", "http://" + r.http + "/", "http://" + r.http + "/api/v1/clients", "http://" + r.http + "/api/v1/sets",
		"http://" + r.ops + "/metrics", "http://" + r.ops + "/readyz",
	} {
		body, err := get(t.Context(), page)
		if err != nil || body == "" {
			t.Errorf("%s: %v", page, err)
		}
		told(t, page, body)
	}
	say := func(c cli, args ...string) {
		got := c.try(args...)
		told(t, "flagctl "+args[0], got.stdout+got.stderr)
	}
	ports := []string{"--http-addr", r.http, "--ops-addr", r.ops, "--skip", "eval"}
	say(r.cli(), "status")
	say(r.cli(), append([]string{"doctor"}, ports...)...)
	say(r.cli(), "cache", "status", "--cache", refusing)
	say(r.cli().with("--api-key", "hf_"+front+"_"+back), "list")
	refused := "mongodb://user:" + password + "@127.0.0.1:1/db"
	for _, address := range append(addresses("mongodb://user:%s@127.0.0.1:x/db", "mysql://user:%s@db", "mongodb:user:%s@db"), refused) {
		for _, verb := range []string{"list", "status", "doctor"} {
			say(cli{t, []string{"--store", address}}, verb)
		}
	}
	for _, address := range addresses("grpc://user:%s@127.0.0.1:1", "user:%s@127.0.0.1:1", "http://user:%s@127.0.0.1:1", "127.0.0.1:1?key=%s") {
		for _, verb := range []string{"list", "status", "doctor"} {
			say(cli{t, []string{"--server", address}}, verb)
		}
	}
	for _, address := range addresses("redis://user:%s@127.0.0.1:1", "redis://user:%s@127.0.0.1:x", "memcached://:%s@cache") {
		say(r.cli(), "cache", "status", "--cache", address)
	}
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	told(t, "the log", r.log.String())
}

package e2e

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// TestTokenOfFlagctl writes with flagctl and reads with the printed token in
// another process, while the router, Redis and that process are restarted at random moments. The
// process never sees an older value: where it cannot have the new one, it says NOT_FRESH, and
// it has it as soon as the router is back.
func TestTokenOfFlagctl(t *testing.T) {
	t.Parallel()
	rounds, variants := volume(300, 10_000), 20
	every := volume(15, 40) // rounds between faults, on the average
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 0))

	redis := testenv.StartRedis(t)
	cache := "redis://" + redis.Addr()
	r := startRouter(t, "--cache", cache)
	c := r.cli()
	create := []string{"create", "counter", "--type", "string"}
	for v := range variants {
		create = append(create, "--variant", fmt.Sprintf("v%d=%s", v, numbered(v, 8)))
	}
	c.run(create...)
	env := []string{"HOLDFAST_PRIMARY=grpc://" + r.grpc, "HOLDFAST_CACHE=" + cache, "HOLDFAST_BREAKER_COOLDOWN=1s",
		"HOLDFAST_BREAKER_MAX_COOLDOWN=2s", "HOLDFAST_LAST_KNOWN_GOOD=" + filepath.Join(t.TempDir(), "app.lkg")}
	app := startProcess(t, env...)

	faults, notYet, began := 0, 0, time.Now()
	fault := func() (repair func()) {
		if dice.IntN(every) > 0 {
			return func() {}
		}
		faults++
		switch dice.IntN(4) {
		case 0:
			r.kill()
			r.launch()
		case 1:
			r.stop()
			r.launch()
		case 2:
			redis.Kill()
			return func() { redis.Start(t) }
		default:
			app.stop()
			app = startProcess(t, env...)
		}
		return func() {}
	}
	for i := range rounds {
		if i > 0 && i%1000 == 0 {
			t.Logf("%d of %d rounds after %v, %d faults", i, rounds, time.Since(began).Round(time.Second), faults)
		}
		want := (i + 1) % variants // the flag begins at v0
		repairs := []func(){fault()}
		token := setVariant(c, want)
		repairs = append(repairs, fault()) // between the acknowledgement and the read
		notYet += readsAtLeast(t, app, token, want)
		for _, repair := range repairs {
			repair()
		}
	}
	t.Logf("%d reads, %d faults, %d answers NOT_FRESH, older values 0 unless reported", rounds, faults, notYet)
	if faults == 0 {
		t.Error("no fault was tried")
	}
}

// setVariant changes the flag's default until that is acknowledged and returns the
// token. A try whose answer was lost has written the same.
func setVariant(c cli, v int) string {
	c.t.Helper()
	var token string
	eventually(c.t, time.Minute, "write", func() error {
		r := c.try("--timeout", "2s", "set-default", "counter", fmt.Sprintf("v%d", v), "-o", "table")
		if r.code != 0 {
			return fmt.Errorf("exit %d: %s", r.code, r.stderr)
		}
		token = tokenIn(r.stdout)
		return nil
	})
	if token == "" {
		c.t.Fatal("flagctl printed no token")
	}
	return token
}

// readsAtLeast reads with the token until the version is there, and returns how
// often the answer was that it is not.
func readsAtLeast(t *testing.T, app *process, token string, want int) (notYet int) {
	t.Helper()
	floor, err := flags.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, "the value of "+token, func() error {
		got, ok := app.ask(question{Flag: "counter", Token: token})
		if !ok {
			t.Fatal("the application has ended")
		}
		if got.Freshness == flags.FreshnessNotFresh.String() {
			notYet++
			return fmt.Errorf("%+v", got)
		}
		have, err := flags.ParseToken(got.Token)
		if err != nil || have.Before(floor.Version) || !strings.HasSuffix(token, string(have.Lineage)) || got.Number != want {
			t.Errorf("read with %s: value %d, want %d, at %s, %s from %s", token, got.Number, want, got.Token, got.Freshness, got.Layer)
		}
		return nil
	})
	return notYet
}

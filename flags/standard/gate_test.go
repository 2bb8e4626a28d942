package standard_test

import (
	"bytes"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// A trip is told as an error with all one needs to know, and its end with how long it took.
func TestTripAndRecoveryAreTold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.json")
	var log syncBuffer
	tripped, recovered := make(chan string, 100), make(chan time.Duration, 100)
	c, err := standard.New(t.Context(), standard.Config{
		Primary:      "file:" + path, // not there yet
		StartTimeout: time.Millisecond,
		Breaker:      standard.Breaker{Failures: 1, Cooldown: 50 * time.Millisecond, MaxCooldown: 50 * time.Millisecond},
		Logger:       slog.New(slog.NewTextHandler(&log, nil)),
		Observer: flags.Observer{
			Tripped:   func(layer string, _ int, _ error, _ time.Duration) { tripped <- layer },
			Recovered: func(_ string, open time.Duration) { recovered <- open },
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	if layer := <-tripped; layer != "primary" {
		t.Errorf("%q tripped", layer)
	}
	writeFlags(t, path, "on")
	if open := <-recovered; open < 50*time.Millisecond {
		t.Errorf("was open for %v", open)
	}
	if err := c.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !c.Bool(t.Context(), "beta", flags.Entity("me"), false) {
		t.Error("beta is off")
	}
	for _, want := range []string{"level=ERROR", "layer=primary", "failures=1", "cause=", "cooldown=5", "level=INFO", "open="} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
}

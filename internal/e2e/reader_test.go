package e2e

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

// sample is what the tests import: enough to tell values, rules and types apart.
const sample = `{
  "flags": {
    "new-checkout": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off"},
    "theme": {"state": "ENABLED", "variants": {"light": "light", "dark": "dark"}, "defaultVariant": "light",
      "targeting": {"if": [{"==": [{"var": "plan"}, "pro"]}, "dark", null]}},
    "seats": {"state": "ENABLED", "variants": {"few": 5, "many": 500}, "defaultVariant": "few"}
  }
}`

// open starts a client as an application would; the test closes it at its end.
func open(t *testing.T, cfg standard.Config) *flags.Client {
	t.Helper()
	client, err := standard.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	return client
}

// reader reads flags all the time, as fast as a busy service, and remembers
// whatever must never happen.
type reader struct {
	client *flags.Client
	stop   chan struct{}
	done   sync.WaitGroup

	mu     sync.Mutex
	reads  int
	faults []string
}

// read starts reading. It must be started once the client has a snapshot.
func read(t *testing.T, client *flags.Client) *reader {
	t.Helper()
	r := &reader{client: client, stop: make(chan struct{})}
	for range 2 {
		r.done.Go(r.loop)
	}
	t.Cleanup(func() { r.finish(t) })
	return r
}

func (r *reader) loop() {
	pro := flags.Entity("tenant-42", flags.String("plan", "pro"))
	var floor flags.Version
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-tick.C:
		}
		view := r.client.View(context.Background())
		d := view.StringDetails("theme", pro, "none")
		fault := ""
		switch v := d.Token().Version; {
		case d.Value != "dark" || d.ErrorCode != flags.ErrorNone:
			fault = fmt.Sprintf("theme is %q, reason %s %s, at %s from %s", d.Value, d.Reason, d.ErrorCode, d.Token(), d.Layer())
		case v.Before(floor):
			fault = fmt.Sprintf("went back from %s to %s, by layer %s", floor, v, d.Layer())
		default:
			floor = v
		}
		r.mu.Lock()
		r.reads++
		if fault != "" {
			r.faults = append(r.faults, fault)
		}
		r.mu.Unlock()
	}
}

// finish ends the reading and fails the test if anything went wrong in it.
func (r *reader) finish(t *testing.T) {
	t.Helper()
	select {
	case <-r.stop:
		return
	default:
		close(r.stop)
	}
	r.done.Wait()
	if r.reads == 0 {
		t.Error("nothing was read")
	}
	for i, f := range r.faults {
		if i == 5 {
			t.Errorf("and %d more", len(r.faults)-i)
			break
		}
		t.Error(f)
	}
	t.Logf("%d reads, %d faults", r.reads, len(r.faults))
}

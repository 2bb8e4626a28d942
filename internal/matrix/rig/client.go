package rig

import (
	"context"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

// ClientOptions describe a client. The zero value has every layer but a file, one
// reader, and the configuration that production has.
type ClientOptions struct {
	NoCache, NoPrimary, NoSecondary bool

	Dir     string        // holds the last-known-good file; default: none
	Readers int           // goroutines that read all the time; default 1
	Pace    time.Duration // between two reads of one of them; default 25 ms
	Session bool          // also reads what was written, with its token, and so asks the primary at times
	Lenient bool          // what is wrong is in Report, and does not fail the test

	Without sabotage.Guards // switched off

	Config func(*standard.Config) // changes what is left
}

// Client is a client of the house under observation.
type Client struct {
	*flags.Client
	StartTook time.Duration // New

	house  *House
	tb     testing.TB
	opts   ClientOptions
	cancel context.CancelFunc
	done   sync.WaitGroup
	close  func()

	mu     sync.Mutex
	report Report
	calls  map[string][]Call // by layer
	trips  []Trip
	closes []time.Time
}

// Trip is the opening of a layer's breaker.
type Trip struct {
	Layer    string
	Failures int
	Cooldown time.Duration
	At       time.Time
}

// Client opens a client and begins to read. It ends with the test, and what was wrong
// fails it.
func (h *House) Client(o ClientOptions) *Client {
	h.tb.Helper()
	if o.Readers == 0 {
		o.Readers = 1
	}
	if o.Pace == 0 {
		o.Pace = 25 * time.Millisecond
	}
	c := &Client{house: h, tb: h.tb, opts: o, calls: map[string][]Call{}}
	cfg := standard.Config{
		Set: Set, Primary: h.primary, Secondary: "grpc://secondary:8015", Cache: h.cache,
		Dial: h.dial, Logger: slog.New(slog.DiscardHandler), Observer: c.observer(),
	}
	if o.Dir != "" {
		cfg.LastKnownGood = filepath.Join(o.Dir, "flags.lkg")
	}
	for left, url := range map[*string]bool{&cfg.Primary: o.NoPrimary, &cfg.Secondary: o.NoSecondary, &cfg.Cache: o.NoCache} {
		if url {
			*left = ""
		}
	}
	if o.Config != nil {
		o.Config(&cfg)
	}
	began := time.Now()
	client, err := standard.New(sabotage.Without(context.Background(), o.Without), cfg)
	if err != nil {
		h.tb.Fatal(err)
	}
	c.Client, c.StartTook = client, time.Since(began)
	h.clients.Add(1)
	c.close = sync.OnceFunc(c.shut)
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	for range o.Readers {
		c.done.Go(func() { c.read(ctx) })
	}
	if o.Session {
		c.done.Go(func() { c.readOwn(ctx) })
	}
	h.tb.Cleanup(c.Stop)
	return c
}

func (c *Client) observer() flags.Observer {
	return flags.Observer{
		Answered: func(layer, op string, took time.Duration, err error) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.calls[layer] = append(c.calls[layer], Call{Op: op, At: time.Now().Add(-took), Took: took, Err: err})
			if err != nil && !classified(err) {
				c.report.Unclassified++
				c.report.note("%s %s: unclassified error %T: %v", layer, op, err, err)
			}
		},
		Tripped: func(layer string, failures int, _ error, cooldown time.Duration) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.trips = append(c.trips, Trip{Layer: layer, Failures: failures, Cooldown: cooldown, At: time.Now()})
		},
		Recovered: func(string, time.Duration) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.closes = append(c.closes, time.Now())
		},
	}
}

// Stop closes the client, checks that nothing of it is left, and judges. Idempotent.
func (c *Client) Stop() { c.close() }

func (c *Client) shut() {
	c.cancel()
	c.done.Wait()
	if err := c.Client.Close(); err != nil {
		c.tb.Errorf("Close: %v", err)
	}
	stack, left := "", 0
	if c.house.clients.Add(-1) == 0 {
		stack, left = c.house.leftOver()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.report.Goroutines = left; left > 0 {
		c.report.note("%s", stack)
	}
	if !c.opts.Lenient {
		c.report.fail(c.tb)
	}
}

// Await waits until ok, and fails the test if that takes longer than limit. It returns
// how long it took, to 10 ms.
func (c *Client) Await(limit time.Duration, what string, ok func() bool) time.Duration {
	c.tb.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			c.tb.Fatalf("%s: not within %v; %+v", what, limit, c.Status())
		}
		Wait(10 * time.Millisecond)
	}
	return time.Since(began)
}

// Current reports whether the newest commit is what reads see.
func (c *Client) Current() bool { return c.Token(context.Background()) == c.house.Newest() }

// From reports whether a layer delivered or last confirmed what reads see, and that is fresh.
func (c *Client) From(layer string) bool {
	s := c.Status()
	return s.Layer == layer && s.Freshness == flags.FreshnessFresh
}

// Streaming reports whether the primary is followed.
func (c *Client) Streaming() bool {
	s, _ := c.Status().ByName("primary")
	return s.State == "streaming"
}

// Calls returns how many calls of an op ("" any) were sent to a layer since an instant.
func (c *Client) Calls(layer, op string, since time.Time) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return count(c.calls[layer], op, since)
}

// CallsTo returns the calls that were sent to a layer.
func (c *Client) CallsTo(layer string) []Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.calls[layer])
}

// Trips returns each opening of the breaker of a layer.
func (c *Client) Trips(layer string) (trips []Trip) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range c.trips {
		if t.Layer == layer {
			trips = append(trips, t)
		}
	}
	return trips
}

// Report returns what the oracle has seen so far.
func (c *Client) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.report
}

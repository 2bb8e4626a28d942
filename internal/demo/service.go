package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

const flag = "new-checkout"

var tenant = flags.Entity("tenant-42", flags.String("plan", "pro"))

// service is an application with the SDK in it, which reads a thousand times a second.
type service struct {
	cfg    standard.Config
	client *flags.Client
	quit   chan struct{}
	done   sync.WaitGroup

	mu                      sync.Mutex
	reads, failed, backward int
}

func startService(h *house, lkg string) (*service, error) {
	s := &service{quit: make(chan struct{})}
	s.cfg = standard.Config{
		Primary: "grpc://" + h.grpc, Secondary: h.mongoURI, Cache: h.redisURL, LastKnownGood: lkg,
		Logger: slog.New(slog.DiscardHandler),
	}
	s.cfg.Breaker.Cooldown = 3 * time.Second // 15 s by default; nobody wants to watch that
	s.cfg.Breaker.MaxCooldown = 6 * time.Second
	s.cfg.CacheTTL = 10 * time.Second // 60 s by default: how long the flags count as fresh without a word from anybody
	redis.SetLogger(&logging.VoidLogger{})
	client, err := standard.New(context.Background(), s.cfg)
	if err != nil {
		return nil, err
	}
	s.client = client
	s.done.Go(s.readAlways)
	return s, nil
}

func (s *service) readAlways() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	var floor flags.Version
	for {
		select {
		case <-s.quit:
			return
		case <-tick.C:
		}
		d := s.client.BoolDetails(context.Background(), flag, tenant, false)
		s.mu.Lock()
		s.reads++
		if d.ErrorCode != flags.ErrorNone {
			s.failed++
		}
		if v := d.Token().Version; v.Before(floor) {
			s.backward++
		} else {
			floor = v
		}
		s.mu.Unlock()
	}
}

// show prints a line each second, at least three of them, until the service
// answers from the wanted layer.
func (s *service) show(ctx context.Context, layer string) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for lines := 1; ; lines++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		d := s.client.BoolDetails(ctx, flag, tenant, false)
		fmt.Println(line(d, s.client))
		if lines >= 3 && (layer == "" || d.Layer() == layer) {
			return nil
		}
		if lines > 40 {
			return fmt.Errorf("the service answers from %s, not from %s", d.Layer(), layer)
		}
	}
}

func line(d flags.BoolDetails, c *flags.Client) string {
	return fmt.Sprintf("%s=%-5v %-22s from %-9s %-9s age %5.1fs  breaker %s",
		flag, d.Value, d.Token(), d.Layer(), d.Freshness, d.Age().Seconds(), breakerState(c))
}

// breakerState is that of the primary's breaker.
func breakerState(c *flags.Client) flags.GateState {
	status := c.Status()
	primary, _ := status.ByName("primary")
	return primary.Breaker
}

// coldStart is a process that starts in the middle of the outage, with a copy of
// the file that the running one keeps.
func (s *service) coldStart(ctx context.Context) error {
	data, err := os.ReadFile(s.cfg.LastKnownGood)
	if err != nil {
		return err
	}
	cfg := s.cfg
	cfg.LastKnownGood += ".second"
	if err := os.WriteFile(cfg.LastKnownGood, data, 0o600); err != nil {
		return err
	}
	start := time.Now()
	client, err := standard.New(ctx, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	d := client.BoolDetails(ctx, flag, tenant, false)
	fmt.Printf("   second service, %v after its start: %s\n", time.Since(start).Round(time.Millisecond), line(d, client))
	if d.ErrorCode != flags.ErrorNone {
		return fmt.Errorf("it answered %s", d.ErrorCode)
	}
	return nil
}

func (s *service) stop() {
	close(s.quit)
	s.done.Wait()
	if err := s.client.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "demo: close:", err)
	}
}

// summary ends the service and says how its reads went.
func (s *service) summary() error {
	s.stop()
	fmt.Printf("\n%d reads, %d failed, %d went back in time\n", s.reads, s.failed, s.backward)
	if s.reads == 0 || s.failed > 0 || s.backward > 0 {
		return errors.New("the flags did not hold")
	}
	return nil
}

func (s *service) status() string { return fmt.Sprintf("%+v", s.client.Status()) }

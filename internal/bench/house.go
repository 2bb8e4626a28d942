package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"github.com/alicebob/miniredis/v2"
	"google.golang.org/grpc"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// house is clients over TCP in front of two routers and Redis, each behind a proxy that
// can fail, and a writer that never rests. Reads ask one client; the others only follow, so that there
// is more going on beside the reads than one client makes of an outage.
type house struct {
	clients []*flags.Client
	calls   atomic.Int64               // that the clients sent
	links   map[string]*faultnet.Proxy // by layer
	closers []func()
}

func newHouse(ctx context.Context, clients int) (*house, error) {
	h := &house{links: map[string]*faultnet.Proxy{}}
	if err := h.open(ctx, clients); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *house) open(ctx context.Context, clients int) error {
	texts, floor := definitions()
	fill(texts, floor, flagCount)
	primary, secondary := memstore.New(nil), memstore.New(nil)
	write := func(c flags.Commit) error {
		accepted, err := primary.Apply(ctx, c)
		if err != nil {
			return err
		}
		return secondary.Append(ctx, c.Set, []flags.Commit{accepted})
	}
	if err := write(commitOf(texts)); err != nil {
		return err
	}
	redis, err := miniredis.Run()
	if err != nil {
		return err
	}
	h.closers = append(h.closers, redis.Close)
	err = errors.Join(h.serve(ctx, "primary", primary), h.serve(ctx, "secondary", secondary), h.link("cache", redis.Addr()))
	if err != nil {
		return err
	}
	for range clients {
		if err := h.follow(ctx); err != nil {
			return err
		}
	}
	h.closers = append(h.closers, h.keepWriting(write))
	return h.recovered(ctx)
}

// follow adds a client whose breakers open and try again many times in a phase.
func (h *house) follow(ctx context.Context) error {
	client, err := standard.New(ctx, standard.Config{
		Set: "bench", Primary: "grpc://" + h.links["primary"].Addr(), Secondary: "grpc://" + h.links["secondary"].Addr(),
		Cache:          "redis://" + h.links["cache"].Addr() + "?memory=0",
		Breaker:        standard.Breaker{Cooldown: 20 * time.Millisecond, MaxCooldown: 20 * time.Millisecond},
		PrimaryTimeout: phase / 10, SecondaryTimeout: phase / 10, CacheTimeout: phase / 10,
		Observer: flags.Observer{Answered: func(string, string, time.Duration, error) { h.calls.Add(1) }},
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	h.clients = append(h.clients, client)
	h.closers = append(h.closers, func() { _ = client.Close() }) // the process ends
	return nil
}

// serve serves a store as a router does.
func (h *house) serve(ctx context.Context, layer string, st *memstore.Store) error {
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(flagsvc.ServerOptions(nil, nil, nil)...)
	flagsvc.New(flagsvc.Options{Store: st, Hub: hub.New(st, nil)}).Register(server)
	go func() { _ = server.Serve(lis) }() // ends with Stop
	h.closers = append(h.closers, server.Stop)
	return h.link(layer, lis.Addr().String())
}

func (h *house) link(layer, addr string) error {
	p, err := faultnet.Listen(addr)
	if err != nil {
		return err
	}
	h.links[layer] = p
	h.closers = append(h.closers, func() { _ = p.Close() }) // the process ends
	return nil
}

// keepWriting toggles a flag in short intervals until the returned function is called.
func (h *house) keepWriting(write func(flags.Commit) error) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for n := 0; ; n++ {
			select {
			case <-quit:
				return
			case <-time.After(rewrite):
				if err := write(toggle(n)); err != nil {
					slog.Error("bench: cannot write", "error", err)
				}
			}
		}
	}()
	return func() { close(quit); <-done }
}

func (h *house) close() {
	for _, c := range slices.Backward(h.closers) {
		c()
	}
}

package router

import (
	"context"
	"slices"
	"sync"
	"time"
)

// lookEvery is how often the store is asked for sets that others have created.
const lookEvery = 10 * time.Second

// follow follows every set of the store and publishes it to every place, until
// ctx ends.
func (r *Router) follow(ctx context.Context) {
	var publishing sync.WaitGroup
	defer publishing.Wait()
	known := map[string]bool{}
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		for _, name := range r.setNames(ctx) {
			if !known[name] {
				known[name] = true
				publishing.Go(func() { r.publish(ctx, name) })
			}
		}
		select {
		case <-r.notices:
		case <-look.C:
		case <-ctx.Done():
			return
		}
	}
}

// publish brings one set to every place until ctx ends. A set that cannot be
// loaded keeps no other waiting.
func (r *Router) publish(ctx context.Context, name string) {
	set, err := r.hub.Open(ctx, name)
	for err != nil {
		if ctx.Err() != nil {
			return
		}
		r.opts.Logger.Warn("cannot follow a set yet", "set", name, "err", err)
		if !sleep(ctx, lookEvery) {
			return
		}
		set, err = r.hub.Open(ctx, name)
	}
	var places sync.WaitGroup
	places.Go(func() { r.page.Warm(ctx, name) })
	for _, p := range r.places() {
		places.Go(func() { p.run(ctx, set) })
	}
	places.Wait()
}

// places returns the mirrors, the caches and the receivers of webhooks.
func (r *Router) places() []*publisher { return slices.Concat(r.mirrors, r.caches, r.hooks) }

func (r *Router) setNames(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, lookEvery)
	defer cancel()
	heads, err := r.opts.Store.Sets(ctx)
	if err != nil {
		r.opts.Logger.Warn("cannot list the sets", "err", err)
	}
	names := make([]string, 0, len(heads))
	for _, h := range heads {
		names = append(names, h.Set)
	}
	return names
}

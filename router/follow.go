package router

import (
	"context"
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
			if known[name] {
				continue
			}
			set, err := r.hub.Open(ctx, name)
			if err != nil {
				r.opts.Logger.Warn("cannot follow a set yet", "set", name, "err", err)
				continue
			}
			known[name] = true
			for _, p := range append(r.mirrors[:len(r.mirrors):len(r.mirrors)], r.caches...) {
				publishing.Go(func() { p.run(ctx, set) })
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

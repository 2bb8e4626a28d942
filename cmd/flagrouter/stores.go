package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// defaultStore is where flags live when nobody says otherwise.
const defaultStore = "bolt:holdfast.db"

// opened is a store with what only its kind has.
type opened struct {
	store.Store
	records store.Records
	kind    string
	name    string // for people
	sample  bool   // begins with the sample when new
	relay   *store.Relayed
	disk    []router.Mirror // of a relay: what it holds
	// router is asked which commits mirrors still need, once there is one.
	router *atomic.Pointer[router.Router]
}

// keeper is a store that keeps records, too.
type keeper interface {
	store.Store
	store.Records
}

func openStore(ctx context.Context, c *config, log *slog.Logger) (*opened, error) {
	o := &opened{router: new(atomic.Pointer[router.Router]), name: redact.URL(c.store)}
	if isRouter(c.store) {
		if err := openRelay(c, o, log); err != nil {
			return nil, fmt.Errorf("--store %s: %w", o.name, err)
		}
		return o, nil
	}
	scheme, rest, _ := strings.Cut(c.store, ":")
	var s keeper
	var err error
	switch scheme {
	case "memory":
		s, o.kind, o.sample = memstore.New(&memstore.Options{KeepCommits: c.keep.commits}), "memory", true
	case "bolt":
		o.kind, o.sample = "bolt", c.store == defaultStore // who names a store wants it as it is
		s, err = openBolt(c, rest, o.hold)
	default:
		o.kind = "mongodb"
		s, err = openMongo(ctx, c, c.store, o.hold, log)
	}
	o.Store, o.records = s, s
	if err != nil {
		return nil, fmt.Errorf("--store %s: %w", o.name, err)
	}
	return o, nil
}

// hold keeps the commits that mirrors and the receivers of webhooks have yet to get, be
// they this router's or another's: the cursors of all receivers are in the records.
func (o *opened) hold(ctx context.Context, set string) (flags.Version, error) {
	r := o.router.Load()
	if r == nil {
		return flags.Version{Revision: 1}, nil // nobody knows yet
	}
	oldest, err := webhook.Hold(ctx, o.records, set)
	if at := r.Hold(set); !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
		oldest = at
	}
	return oldest, err
}

func openBolt(c *config, path string, hold func(context.Context, string) (flags.Version, error)) (*boltstore.Store, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(c.dataDir, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return boltstore.Open(path, &boltstore.Options{KeepCommits: c.keep.commits, KeepFor: c.keep.age, Hold: hold})
}

// openMongo asks nobody anything, so that what it does not like is the URI.
func openMongo(ctx context.Context, c *config, uri string, hold func(context.Context, string) (flags.Version, error), log *slog.Logger) (*mongostore.Store, error) {
	s, err := mongostore.Open(ctx, uri, &mongostore.Options{KeepCommits: c.keep.commits, KeepFor: c.keep.age, Hold: hold, Logger: log})
	if err != nil {
		return nil, &configError{err}
	}
	return s, nil
}

// places are where the router publishes to.
type places struct {
	mirrors []router.Mirror
	caches  []router.Cache
	closers []io.Closer
}

// openPlaces opens mirrors and cache without waiting for any of them: a router
// starts whether they are there or not.
func openPlaces(ctx context.Context, c *config, log *slog.Logger) (*places, error) {
	p := &places{}
	for _, uri := range c.mirrors {
		m, err := openMongo(ctx, c, uri, nil, log)
		if err != nil {
			p.close()
			return nil, fmt.Errorf("--mirror %s: %w", redact.URL(uri), err)
		}
		p.closers = append(p.closers, m)
		p.mirrors = append(p.mirrors, router.Mirror{Name: redact.URL(uri), Replica: m})
	}
	if c.cache == "" {
		return p, nil
	}
	cache, err := rediscache.Open(c.cache, nil)
	if err != nil {
		p.close()
		return nil, fmt.Errorf("--cache %s: %w", redact.URL(c.cache), &configError{err})
	}
	p.closers = append(p.closers, cache)
	layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{
		Authoritative: func(flags.Lineage) bool { return true }, // it is the router that says which lineage is right
		Origin:        true,                                     // and what is in it
		Logger:        log,
	})
	p.caches = append(p.caches, router.Cache{Name: redact.URL(c.cache), Sink: layer})
	return p, nil
}

func (p *places) close() {
	for _, c := range p.closers {
		_ = c.Close() // all that was to be written has been, or will be by the next router
	}
}

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/boltstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// opened is a store with what only its kind has.
type opened struct {
	store.Store
	kind   string
	name   string // for people
	sample bool   // begins with the sample when new
	// router is asked which commits mirrors still need, once there is one.
	router *atomic.Pointer[router.Router]
}

func openStore(c *config) (*opened, error) {
	o := &opened{router: new(atomic.Pointer[router.Router]), name: redact(c.store)}
	scheme, rest, _ := strings.Cut(c.store, ":")
	var err error
	switch scheme {
	case "memory":
		o.Store, o.kind, o.sample = memstore.New(nil), "memory", true
	case "bolt":
		o.kind, o.sample = "bolt", true
		o.Store, err = openBolt(c.dataDir, rest, o.hold)
	default:
		err = errors.New("this build has no MongoDB driver")
	}
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", o.name, err)
	}
	return o, nil
}

// hold keeps the commits that mirrors have yet to get.
func (o *opened) hold(set string) flags.Version {
	if r := o.router.Load(); r != nil {
		return r.Hold(set)
	}
	return flags.Version{}
}

func openBolt(dir, path string, hold func(string) flags.Version) (store.Store, error) {
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	return boltstore.Open(path, &boltstore.Options{Hold: hold})
}

package standard

import (
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// SharedLayers returns the layers of n clients that share the memory of cfg, and
// what closes them.
func SharedLayers(cfg Config, n int) (layers []flags.Layer, closeAll func() error, err error) {
	var users []cachestrategy.Strategy
	for range n {
		u, err := cfg.openCache()
		if err != nil {
			return nil, nil, err
		}
		users = append(users, u)
		layers = append(layers, cfg.cacheLayerOf(u))
	}
	return layers, func() error {
		for _, u := range users {
			if err := u.Close(); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// Memories returns the number of memory caches in use.
func Memories() int {
	memories.mu.Lock()
	defer memories.mu.Unlock()
	return len(memories.open)
}

// Origin is what a database is opened as.
type Origin = origin

// ShareDatabase takes part in the database that url names, and returns what gives it up.
func ShareDatabase(url string, timeout time.Duration, open func() (Origin, error)) (leave func() error, err error) {
	u, err := databases.get(url, timeout, open)
	if err != nil {
		return nil, err
	}
	return u.Close, nil
}

// Databases returns the number of open databases and of bulkheads.
func Databases() (stores, bulkheads int) {
	databases.mu.Lock()
	defer databases.mu.Unlock()
	return len(databases.open), len(databases.slots)
}

package cachestrategy

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Factory opens a cache. The URL is what Registry.Open was given, whole. Errors
// are about the URL only: a factory must not wait for a server.
type Factory func(url string) (Strategy, error)

// Registry is a list of cache strategies by name. There is none for the whole
// process; make one, fill it, pass it on. The zero value is ready for use, and
// all methods are safe for concurrent use.
type Registry struct {
	mu        sync.RWMutex
	factories map[string]Factory
}

// NewRegistry returns a registry without any strategies.
func NewRegistry() *Registry { return &Registry{} }

// Register adds a strategy. A name that is taken already, such as that of a
// built-in strategy, is replaced: the last registration wins. It panics without a
// factory, or if the name is empty or has a colon in it and so could never be opened.
func (r *Registry) Register(name string, f Factory) {
	if f == nil || name == "" || strings.Contains(name, ":") {
		panic(fmt.Sprintf("cachestrategy: Register(%q): want a name without a colon, and a factory", name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.factories == nil {
		r.factories = map[string]Factory{}
	}
	r.factories[name] = f
}

// Open opens the cache that a URL such as "memory:?max-entries=100" names: the
// strategy's name is what comes before the first colon, or all of it. As usual in
// URLs, the name with an s behind it (rediss:) is the same strategy over TLS. The
// error is an *UnknownError, or the factory's.
func (r *Registry) Open(url string) (Strategy, error) {
	name, _, _ := strings.Cut(url, ":")
	r.mu.RLock()
	f := r.factories[name]
	if plain, secure := strings.CutSuffix(name, "s"); f == nil && secure {
		f = r.factories[plain]
	}
	r.mu.RUnlock()
	if f == nil {
		return nil, &UnknownError{Name: name, Known: r.Names()}
	}
	return f(url)
}

// Names returns the registered names, sorted.
func (r *Registry) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.factories))
}

// Shared returns s with a Close that does nothing, for handing one cache to
// several clients of a process. Whoever made s closes it.
func Shared(s Strategy) Strategy { return shared{s} }

type shared struct{ Strategy }

func (shared) Close() error { return nil }

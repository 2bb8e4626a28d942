package cachestrategy_test

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/memorycache"
)

// opener returns a factory that counts how often it is asked for which URL.
func opener(opened map[string]int) cachestrategy.Factory {
	return func(url string) (cachestrategy.Strategy, error) {
		opened[url]++
		return memorycache.New(nil), nil
	}
}

func TestRegistry(t *testing.T) {
	first, second := map[string]int{}, map[string]int{}
	r := cachestrategy.NewRegistry()
	r.Register("redis", opener(first))
	r.Register("memory", opener(first))
	r.Register("memory", opener(second)) // the last one wins
	for _, url := range []string{"redis://cache:6379?prefix=p", "rediss://cache", "memory", "memory:?max-entries=1"} {
		s, err := r.Open(url)
		if err != nil {
			t.Fatalf("Open(%q): %v", url, err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if first[url]+second[url] != 1 {
			t.Errorf("%q did not reach its factory", url)
		}
	}
	if len(first) != 2 || len(second) != 2 {
		t.Errorf("first factory opened %v, second %v", first, second)
	}
}

func TestRegistryUnknown(t *testing.T) {
	r := cachestrategy.NewRegistry()
	for _, want := range []string{
		`unknown cache strategy "x" (known: none)`,
		`unknown cache strategy "x" (known: redis)`,
		`unknown cache strategy "x" (known: memory, redis)`,
	} {
		for _, url := range []string{"x", "x:", "x://host?a=b"} {
			_, err := r.Open(url)
			var unknown *cachestrategy.UnknownError
			if !errors.As(err, &unknown) || err.Error() != want {
				t.Errorf("Open(%q): %v, want %s", url, err, want)
			}
		}
		r.Register(map[int]string{0: "redis", 1: "memory", 2: "more"}[len(r.Names())], opener(map[string]int{}))
	}
	if _, err := r.Open(""); err == nil {
		t.Error("the empty URL opens a cache")
	}
}

func TestRegisterNonsense(t *testing.T) {
	for name, f := range map[string]cachestrategy.Factory{"x": nil, "": opener(nil), "a:b": opener(nil)} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("Register(%q) does not panic", name)
				}
			}()
			cachestrategy.NewRegistry().Register(name, f)
		}()
	}
}

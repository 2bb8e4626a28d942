package openfeature_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// source is a store in memory behind a line that can be cut.
type source struct {
	*memstore.Store
	cut    atomic.Bool
	denied atomic.Bool
}

func (s *source) fault() error {
	switch {
	case s.denied.Load():
		return &flags.SourceError{Class: flags.ClassDenied, Op: "line", Err: errors.New("bad key")}
	case s.cut.Load():
		return &flags.SourceError{Class: flags.ClassTransient, Op: "line", Err: errors.New("cut")}
	}
	return nil
}

func (s *source) Head(ctx context.Context, set string) (flags.Head, error) {
	if err := s.fault(); err != nil {
		return flags.Head{}, err
	}
	return s.Store.Head(ctx, set)
}

func (s *source) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	if err := s.fault(); err != nil {
		return flags.Update{}, err
	}
	return s.Store.Fetch(ctx, set, have)
}

// newSource returns a store whose set "default" has the entries given.
func newSource(t testing.TB, changes ...flags.Mutation) *source {
	t.Helper()
	s := &source{Store: memstore.New(nil)}
	t.Cleanup(func() { _ = s.Close() })
	s.apply(t, flags.OpCreate, changes...)
	return s
}

func (s *source) apply(t testing.TB, op flags.Op, changes ...flags.Mutation) flags.Token {
	t.Helper()
	for i, m := range changes {
		text, err := flags.Canonical(m.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		changes[i].Bytes = text
	}
	c, err := s.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: op, Changes: changes})
	if err != nil {
		t.Fatal(err)
	}
	return c.Head().Token()
}

func flag(key, text string) flags.Mutation {
	return flags.Mutation{Key: flags.FlagKey(key), Bytes: []byte(text)}
}

// client follows the source; what opts say comes on top.
func (s *source) client(t testing.TB, opts flags.Options) *flags.Client {
	t.Helper()
	if opts.Primary.Source == nil {
		opts.Primary.Source = s
	}
	opts.Logger = slog.New(slog.DiscardHandler)
	client, err := flags.New(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// register returns an OpenFeature client of an API of its own with the provider.
func register(t testing.TB, p of.FeatureProvider) (*of.EvaluationAPI, *of.Client) {
	t.Helper()
	api := isolated.NewAPI()
	t.Cleanup(func() { _ = api.Shutdown(context.WithoutCancel(t.Context())) })
	if err := api.SetProviderAndWait(t.Context(), p, of.WithDomain("app")); err != nil {
		t.Fatal(err)
	}
	return api, api.NewClient(of.WithDomain("app"))
}

// heard are the events of a client, in order for each type.
type heard struct {
	mu     sync.Mutex
	events map[of.EventType][]of.EventDetails
}

func listen(c *of.Client) *heard {
	h := &heard{events: map[of.EventType][]of.EventDetails{}}
	for _, kind := range []of.EventType{of.ProviderReady, of.ProviderStale, of.ProviderError, of.ProviderConfigChange} {
		note := func(d of.EventDetails) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.events[kind] = append(h.events[kind], d)
		}
		c.AddHandler(kind, &note)
	}
	return h
}

func (h *heard) of(kind of.EventType) []of.EventDetails {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]of.EventDetails(nil), h.events[kind]...)
}

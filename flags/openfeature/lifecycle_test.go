package openfeature_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

const onOff = `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`

// quick are options whose client finds out within virtual seconds what its source is up to.
func quick(s *source) flags.Options {
	return flags.Options{Primary: flags.Layer{Source: s, Poll: time.Second}, FreshFor: 10 * time.Second}
}

// A provider is STALE while its source is away, answers all the same, and is READY when it is back.
func TestStaleAndReadyAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("f", onOff))
		_, c := register(t, openfeature.NewProvider(src.client(t, quick(src))))
		h := listen(c)
		if c.State() != of.ReadyState {
			t.Fatalf("state %s at first", c.State())
		}
		src.cut.Store(true)
		time.Sleep(30 * time.Second)
		if c.State() != of.StaleState || len(h.of(of.ProviderStale)) != 1 {
			t.Errorf("state %s, %d events, without the source", c.State(), len(h.of(of.ProviderStale)))
		}
		d, err := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{})
		if d.Value || err != nil || d.Reason != of.StaticReason || d.FlagMetadata[openfeature.MetadataFreshness] != "stale" {
			t.Errorf("a stale answer: %+v, %v", d, err)
		}
		src.cut.Store(false)
		time.Sleep(5 * time.Minute)
		if c.State() != of.ReadyState || len(h.of(of.ProviderReady)) != 2 { // one on registration
			t.Errorf("state %s, %d events, with the source back", c.State(), len(h.of(of.ProviderReady)))
		}
		if d, _ := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); d.FlagMetadata[openfeature.MetadataFreshness] != nil {
			t.Errorf("a fresh answer: %+v", d)
		}
		if n := len(h.of(of.ProviderError)) + len(h.of(of.ProviderConfigChange)); n != 0 {
			t.Errorf("%d other events", n)
		}
	})
}

// A set that is stale when the provider is registered makes it STALE, though the SDK says READY after Init.
func TestStaleFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("f", onOff))
		client := src.client(t, quick(src))
		src.cut.Store(true)
		time.Sleep(30 * time.Second)
		_, c := register(t, openfeature.NewProvider(client))
		time.Sleep(2 * time.Second)
		if c.State() != of.StaleState {
			t.Errorf("state %s", c.State())
		}
	})
}

// Without a set Init fails in time, reads give their defaults, and the first set makes the provider READY.
func TestErrorUntilASetComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("f", onOff))
		src.cut.Store(true)
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		began := time.Now()
		err := api.SetProviderAndWait(t.Context(), openfeature.NewProvider(src.client(t, quick(src))), of.WithDomain("app"))
		var init *of.ProviderInitError
		if !errors.As(err, &init) || init.ErrorCode != of.ProviderNotReadyCode || time.Since(began) > 10*time.Second {
			t.Errorf("registered after %v: %v", time.Since(began), err)
		}
		c := api.NewClient(of.WithDomain("app"))
		if d, err := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); c.State() != of.ErrorState || !d.Value || d.ErrorCode != of.ProviderNotReadyCode || err == nil {
			t.Errorf("state %s, %+v, %v", c.State(), d, err)
		}
		src.cut.Store(false)
		time.Sleep(5 * time.Minute)
		if d, err := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); c.State() != of.ReadyState || d.Value || err != nil {
			t.Errorf("state %s, %+v, %v", c.State(), d, err)
		}
	})
}

// Denied credentials are FATAL where nothing is held, and mended when they are taken after all.
// A set that is held is served whatever became of the credentials.
func TestDeniedIsFatalWithoutASet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("f", onOff))
		held := src.client(t, quick(src))
		src.denied.Store(true)
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		err := api.SetProviderAndWait(t.Context(), openfeature.NewProvider(src.client(t, quick(src))), of.WithDomain("app"))
		var init *of.ProviderInitError
		if !errors.As(err, &init) || init.ErrorCode != of.ProviderFatalCode {
			t.Errorf("registered: %v", err)
		}
		c := api.NewClient(of.WithDomain("app"))
		if d, _ := c.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); c.State() != of.FatalState || d.ErrorCode != of.ProviderFatalCode {
			t.Errorf("state %s, %+v", c.State(), d)
		}
		_, holder := register(t, openfeature.NewProvider(held))
		time.Sleep(time.Minute)
		if d, err := holder.BooleanValueDetails(t.Context(), "f", true, of.EvaluationContext{}); holder.State() != of.StaleState || d.Value || err != nil {
			t.Errorf("with a set: state %s, %+v, %v", holder.State(), d, err)
		}
		src.denied.Store(false)
		time.Sleep(5 * time.Minute)
		if c.State() != of.ReadyState || holder.State() != of.ReadyState {
			t.Errorf("states %s and %s once the credentials are good", c.State(), holder.State())
		}
	})
}

// A source that fails first and denies later makes an ERROR FATAL.
func TestErrorBecomesFatal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t)
		src.cut.Store(true)
		api := isolated.NewAPI()
		defer func() { _ = api.Shutdown(context.Background()) }()
		_ = api.SetProviderAndWait(t.Context(), openfeature.NewProvider(src.client(t, quick(src))), of.WithDomain("app"))
		c := api.NewClient(of.WithDomain("app"))
		src.denied.Store(true)
		time.Sleep(5 * time.Minute)
		if c.State() != of.FatalState {
			t.Errorf("state %s", c.State())
		}
	})
}

// Every commit is one event that names its flags; commits that come at once may share one.
func TestConfigurationChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("a", onOff), flag("b", onOff), flag("c", onOff))
		_, c := register(t, openfeature.NewProvider(src.client(t, quick(src))))
		h := listen(c)
		on := `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`
		token := src.apply(t, flags.OpChange, flag("b", on), flag("a", on))
		time.Sleep(5 * time.Second)
		events := h.of(of.ProviderConfigChange)
		if len(events) != 1 || !reflect.DeepEqual(events[0].FlagChanges, []string{"a", "b"}) || events[0].EventMetadata[openfeature.MetadataRevision] != token.String() {
			t.Fatalf("events %+v, want one for a and b at %s", events, token)
		}
		if events[0].ProviderName != "holdfast" || c.State() != of.ReadyState {
			t.Errorf("event of %q, state %s", events[0].ProviderName, c.State())
		}
		src.apply(t, flags.OpChange, flags.Mutation{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "owner"}, Bytes: []byte(`"x"`)})
		time.Sleep(5 * time.Second)
		if events = h.of(of.ProviderConfigChange); len(events) != 2 || events[1].FlagChanges != nil {
			t.Fatalf("events %+v, want a second that names no flag", events)
		}
	})
}

// One provider may serve many domains, be set again, and be shut down and set once more; it
// ends with the SDK, and nothing of it is left.
func TestDomainsAndLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("f", onOff))
		client := src.client(t, quick(src))
		p, other := openfeature.NewProvider(client), of.NoopProvider{}
		api := isolated.NewAPI()
		set := func(p of.FeatureProvider, domain string) *of.Client {
			t.Helper()
			if err := api.SetProviderAndWait(t.Context(), p, of.WithDomain(domain)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return api.NewClient(of.WithDomain(domain))
		}
		a, b, twice := set(p, "a"), set(p, "b"), set(p, "a")
		src.cut.Store(true)
		time.Sleep(30 * time.Second)
		for name, c := range map[string]*of.Client{"a": a, "b": b, "a again": twice} {
			if c.State() != of.StaleState {
				t.Errorf("%s: state %s", name, c.State())
			}
		}
		set(other, "a")
		set(other, "b") // nobody's any more: the SDK shuts it down
		src.cut.Store(false)
		time.Sleep(time.Minute)
		c := set(p, "c")
		h := listen(c)
		src.cut.Store(true)
		time.Sleep(30 * time.Second)
		if c.State() != of.StaleState || len(h.of(of.ProviderStale)) != 1 {
			t.Errorf("in its second life: state %s, %d events", c.State(), len(h.of(of.ProviderStale)))
		}
		p.Shutdown()
		p.Shutdown()
		if err := errors.Join(api.Shutdown(t.Context()), p.ShutdownWithContext(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// Shutdown ends an Init that waits, and an Init of a closed client is FATAL.
func TestInitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t)
		src.cut.Store(true)
		client := src.client(t, quick(src))
		p := openfeature.New(client, openfeature.Options{InitTimeout: time.Hour})
		ended := make(chan error, 1)
		go func() { ended <- p.Init(of.EvaluationContext{}) }()
		time.Sleep(time.Second)
		p.Shutdown()
		if err := <-ended; err == nil {
			t.Error("an Init that was shut down says it is ready")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := p.InitWithContext(ctx, of.EvaluationContext{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an Init whose context ended: %v", err)
		}
		now := openfeature.New(client, openfeature.Options{InitTimeout: -1})
		if err := now.Init(of.EvaluationContext{}); err == nil {
			t.Error("an Init that does not wait says it is ready without a set")
		}
		now.Shutdown()
		_ = client.Close()
		var init *of.ProviderInitError
		if err := p.Init(of.EvaluationContext{}); !errors.As(err, &init) || init.ErrorCode != of.ProviderFatalCode {
			t.Errorf("an Init of a closed client: %v", err)
		}
		p.Shutdown()
	})
}

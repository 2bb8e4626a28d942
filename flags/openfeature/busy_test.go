package openfeature_test

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/openfeature"
)

// busy has flags change one by one while nobody takes the provider's events, and returns
// the events that somebody finds then, and the version of the last change.
func busy(t *testing.T, opts openfeature.Options) (events []of.Event, last flags.Token) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, flag("a", onOff))
		p := openfeature.New(src.client(t, quick(src)), opts)
		if err := p.Init(of.EvaluationContext{}); err != nil {
			t.Fatal(err)
		}
		for i := range 5 {
			last = src.apply(t, flags.OpChange, flag(fmt.Sprint("flag", i), onOff))
			time.Sleep(5 * time.Second)
		}
		for in := p.EventChannel(); ; {
			select {
			case e := <-in:
				if e.EventType == of.ProviderConfigChange {
					events = append(events, e)
				}
				continue
			case <-time.After(time.Minute):
			}
			break
		}
		p.Shutdown()
	})
	return events, last
}

// Whoever was busy hears of every flag that changed meanwhile, in few events, the last of them at the newest version.
func TestBusyListener(t *testing.T) {
	events, last := busy(t, openfeature.Options{})
	var keys []string
	for _, e := range events {
		keys = append(keys, e.FlagChanges...)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, []string{"flag0", "flag1", "flag2", "flag3", "flag4"}) || len(events) > 2 || events[len(events)-1].EventMetadata[openfeature.MetadataRevision] != last.String() {
		t.Errorf("%d events of %v, want all flags up to %s: %+v", len(events), keys, last, events)
	}
}

// Its twin, a provider that drops what comes while something waits, never tells of the last.
func TestBusyListenerOfALossyProvider(t *testing.T) {
	events, last := busy(t, openfeature.Options{}.Lossy())
	for _, e := range events {
		if e.EventMetadata[openfeature.MetadataRevision] == last.String() {
			t.Errorf("it told of the last change: %+v", e)
		}
	}
}

package ofrep_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// A flag that never varies is answered from the sheet. An override makes it vary, without
// a change of its definition, and one that is taken back ends that.
func TestOverrideOfAFlagThatDidNotVary(t *testing.T) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{})
	token := r.put("default", "calm", `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`)
	check := func(step, entity string, value bool, reason string) {
		t.Helper()
		list := decode[answers](t, r.all(`{"context":{"targetingKey":"`+entity+`"}}`, revision, token.String()), http.StatusOK)
		if got := list.find("calm"); got.Value != value || got.Reason != reason {
			t.Errorf("%s: %+v, want %v, %s", step, got, value, reason)
		}
	}
	check("at first", "mine", false, "STATIC")
	token = r.override("default", "calm", "mine", "on")
	check("overridden", "mine", true, "TARGETING_MATCH")
	check("overridden for another", "theirs", false, "DEFAULT")
	token = r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.OverrideKey("calm", "mine")}}})
	check("taken back", "mine", false, "STATIC")
}

// A flag with a bound of its own becomes stale in a set that is fresh, and among all it says so.
func TestBoundOfAFlagThatDoesNotVary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := openRig(t, ofrep.Options{}, evaluator.Options{})
		defer stop()
		token := r.put("default", "bounded", `{"variants":{"on":true},"defaultVariant":"on","metadata":{"maxAge":1}}`,
			"free", `{"variants":{"on":true},"defaultVariant":"on"}`)
		said := func() (bounded, free, set any, tag string) {
			w := r.all("", revision, token.String())
			list := decode[answers](t, w, http.StatusOK)
			return list.find("bounded").Metadata["freshness"], list.find("free").Metadata["freshness"], list.Metadata["freshness"], w.Header().Get("ETag")
		}
		bounded, free, set, first := said()
		if bounded != nil || free != nil || set != nil {
			t.Errorf("at first: %v, %v of the set %v", bounded, free, set)
		}
		time.Sleep(2500 * time.Millisecond) // the hub says what it knows every 5 s
		bounded, free, set, later := said()
		if bounded != "stale" || free != nil || set != nil {
			t.Errorf("later: %v, %v, of the set %v", bounded, free, set)
		}
		if first == later {
			t.Error("the same ETag for another answer")
		}
	})
}

package flags_test

import (
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// A subscription hears of every change of the state, and of nothing else.
func TestOnStateFollowsTheState(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memstore.New(nil)
		defer st.Close()
		client, err := flags.New(t.Context(), flags.Options{
			Primary: flags.Layer{Source: st, Poll: time.Second}, Logger: slog.New(slog.DiscardHandler), StartTimeout: -1,
			FreshFor: 10 * time.Second, MaxStaleness: time.Minute, Strict: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		var told []flags.State
		unsubscribe := client.OnState(func(s flags.State) { told = append(told, s) })
		expect := func(what string, want ...flags.State) {
			t.Helper()
			synctest.Wait()
			if !slices.Equal(told, want) {
				t.Fatalf("%s: told %v, want %v", what, told, want)
			}
			if len(want) > 0 && client.State() != want[len(want)-1] {
				t.Errorf("%s: state %v", what, client.State())
			}
		}
		expect("at first")
		if client.State() != flags.StateEmpty {
			t.Errorf("state %v before there is a set", client.State())
		}
		apply(t, st, flags.OpCreate, putFlag("flag", goodFlag))
		time.Sleep(3 * time.Second)
		expect("with a set", flags.StateFresh)
		apply(t, st, flags.OpChange, putFlag("other", goodFlag))
		time.Sleep(3 * time.Second)
		expect("after a change", flags.StateFresh)
		_ = st.Close()
		time.Sleep(20 * time.Second)
		expect("without its source", flags.StateFresh, flags.StateStale)
		time.Sleep(time.Minute)
		expect("past the bound", flags.StateFresh, flags.StateStale, flags.StateEmpty)
		unsubscribe()
	})
}

package evalsvc_test

import (
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
)

// outcome is what became of two clients, one of which did not read for a while.
type outcome struct {
	delay   time.Duration // of the one that read
	heard   map[string]bool
	endedBy error // the one that did not read for long
}

const changes = 30

// stuck has a client that reads and one that does not while so many flags change, one by
// one; then the other reads, until it is told that there is nothing, and stops again.
func stuck(t *testing.T, opts evalsvc.Options) (o outcome) {
	t.Helper()
	h1 := new(http.Protocols)
	h1.SetHTTP1(true) // over which a pipe takes nothing that is not read
	virtualOver(t, h1, opts, func(t *testing.T, r *rig, hc *http.Client) {
		client := v2.NewServiceClient(hc, r.url)
		idle, quick := watch(t, client, "shop"), watch(t, client, "shop")
		began := time.Now()
		for i := range changes {
			key := fmt.Sprint("flag", i)
			r.put("shop", key, `{"variants":{"on":true}}`)
			expect(t, quick, "configuration_change", `{"flags":{"`+key+`":{"type":"write"}}}`)
			synctest.Wait()
		}
		o.delay = time.Since(began)
		o.heard = map[string]bool{}
		for idle.Receive() && idle.Msg().GetType() == "configuration_change" {
			for key := range idle.Msg().GetData().GetFields()["flags"].GetStructValue().GetFields() {
				o.heard[key] = true
			}
		}
		r.put("shop", "on", `{"variants":{"on":true}}`)
		time.Sleep(time.Minute)
		for idle.Receive() { // what was on its way
		}
		o.endedBy = idle.Err()
		_, _ = quick.Close(), idle.Close()
	})
	return o
}

// TestStuck: a client that does not read delays nobody; it is told of all that changed
// when it reads, in one message, and is cut off when it does not.
func TestStuck(t *testing.T) {
	o := stuck(t, evalsvc.Options{})
	if o.delay > time.Second { // of a clock that stands still unless all wait
		t.Errorf("%d changes took %v past a client that does not read", changes, o.delay)
	}
	if len(o.heard) != changes {
		t.Errorf("it heard of %d changes, want %d: %v", len(o.heard), changes, o.heard)
	}
	if o.endedBy == nil {
		t.Error("after a minute it is still there")
	}
}

// TestStuckSabotaged are its twins: with news dropped while others wait, and with
// streams that wait for one another.
func TestStuckSabotaged(t *testing.T) {
	if o := stuck(t, evalsvc.Options{}.Forgetful()); o.heard[fmt.Sprint("flag", changes-1)] {
		t.Errorf("with dropped news it heard of the last: %v", o.heard)
	}
	if o := stuck(t, evalsvc.Options{}.InTurn()); o.delay < 5*time.Second {
		t.Errorf("streams that wait for one another took %v", o.delay)
	}
}

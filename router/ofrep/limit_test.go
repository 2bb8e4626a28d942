package ofrep_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// from sends a request from an address.
func (r *rig) from(address, path string, headers ...string) *httptest.ResponseRecorder {
	req := newRequest(r.t, path, http.NoBody)
	req.RemoteAddr = address
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return record(r, req)
}

func TestRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := openRig(t, ofrep.Options{Rate: 0.5}, evaluator.Options{})
		defer stop()
		expect := func(address string, status int, headers ...string) {
			t.Helper()
			w := r.from(address, bulk, headers...)
			if w.Code != status {
				t.Fatalf("%s: %d %s, want %d", address, w.Code, w.Body, status)
			}
			seconds, err := strconv.Atoi(w.Header().Get("Retry-After"))
			if (status == http.StatusTooManyRequests) != (err == nil && seconds >= 1 && seconds <= 2) {
				t.Errorf("%s: Retry-After %q", address, w.Header().Get("Retry-After"))
			}
		}
		expect("198.51.100.1:1000", 200)
		expect("198.51.100.1:1001", 429)
		expect("198.51.100.1:1001", 429, "Authorization", "Bearer another") // which nobody has checked
		expect("198.51.100.2:1000", 200)
		expect("[2001:db8::1]:1000", 200)
		expect("[2001:db8::2]:1000", 429) // of the same network
		expect("[2001:db8:0:1::1]:1000", 200)
		expect("[::ffff:198.51.100.1]:1000", 429) // the first, written otherwise
		time.Sleep(time.Second)
		expect("198.51.100.1:1000", 429)
		time.Sleep(time.Second)
		expect("198.51.100.1:1000", 200)
		expect("198.51.100.1:1000", 429)
		time.Sleep(time.Hour) // no more than a burst comes together
		expect("198.51.100.1:1000", 200)
		expect("198.51.100.1:1000", 429)
	})
}

// TestRateOfKeys: behind one address, each key has its own share.
func TestRateOfKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := openRig(t, ofrep.Options{Rate: 2}, evaluator.Options{Policy: scoped{}})
		defer stop()
		for _, key := range []string{"default", "shop"} {
			for i, want := range []int{200, 200, 429} {
				w := r.from("198.51.100.1:1000", bulk, "Authorization", "Bearer "+key, selector, "flagSetId="+key)
				if w.Code != want {
					t.Errorf("%s, request %d: %d, want %d", key, i, w.Code, want)
				}
			}
		}
		// Who is not known has the share of the address.
		for i, want := range []int{401, 401, 429} {
			if w := r.from("198.51.100.1:1000", bulk); w.Code != want {
				t.Errorf("anonymous, request %d: %d, want %d", i, w.Code, want)
			}
		}
	})
}

// TestRateIsBoundedInMemory: a flood of addresses makes room by forgetting those unseen
// for longest, not those that keep coming.
func TestRateIsBoundedInMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := openRig(t, ofrep.Options{Rate: 0.01}, evaluator.Options{})
		defer stop()
		for i := range 40_000 {
			r.from(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255), "/ofrep/v1/sse")
			if i%5000 == 0 {
				want := http.StatusTooManyRequests
				if i == 0 {
					want = http.StatusOK
				}
				if w := r.from("198.51.100.1:1", bulk); w.Code != want {
					t.Errorf("the busy one after %d others: %d, want %d", i, w.Code, want)
				}
			}
		}
		if n := r.Clients(); n > 16_384 {
			t.Errorf("%d clients are remembered", n)
		}
	})
}

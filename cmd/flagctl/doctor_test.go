package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestDoctor finds nothing where nothing is wrong, and says what to do where
// something is.
func TestDoctor(t *testing.T) {
	f := newFleet(t)
	port := func(handler http.HandlerFunc) string {
		s := httptest.NewServer(handler)
		t.Cleanup(s.Close)
		return strings.TrimPrefix(s.URL, "http://")
	}
	fine := port(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	late := port(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
	})
	unready := port(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	healthy := []string{"doctor", "--eval-addr", fine, "--http-addr", fine, "--ops-addr", fine}
	if out := f.want(exitOK, healthy...); !strings.Contains(out, "default@0.2") || strings.Contains(out, "!") {
		t.Errorf("healthy: %s", out)
	}
	for want, args := range map[string][]string{
		"the router's is behind this one by": {"--http-addr", late},
		"is not ready":                       {"--ops-addr", unready},
		"connection refused":                 {"--eval-addr", "127.0.0.1:1"},
		"there is no such set":               {"--set", "nowhere"},
	} {
		out := f.want(exitFailed, append(healthy, args...)...)
		if !strings.Contains(out, want) || !strings.Contains(out, "->") {
			t.Errorf("%v: %s", args, out)
		}
	}
	f.want(exitOK, "doctor", "--http-addr", fine, "--skip", "eval,ops")
	f.want(exitUsage, "doctor", "--skip", "everything")
	f.addr = "127.0.0.1:1"
	if out := f.want(exitFailed, healthy...); !strings.Contains(out, "is it running") {
		t.Errorf("no router: %s", out)
	}
}

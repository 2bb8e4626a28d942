package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/router/webhook"
)

// TestWebhookOutlivesAll: the receiver is down, then fails, the router is killed and
// started again: every commit arrives, in order.
func TestWebhookOutlivesAll(t *testing.T) {
	secret := writeFile(t, "hook.key", "0123456789abcdef0123456789abcdef\n")
	var mu sync.Mutex
	failing := true
	var got []uint64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var c struct{ Revision uint64 }
		if err := webhook.Verify(r.Header.Get("Holdfast-Signature"), body, []byte("0123456789abcdef0123456789abcdef"), time.Now(), time.Minute); err != nil {
			t.Error(err)
		}
		if err := json.Unmarshal(body, &c); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		if failing {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		got = append(got, c.Revision)
	}))
	t.Cleanup(server.Close)

	args := []string{"--data-dir", filepath.Join(t.TempDir(), "data"), "--webhook", server.URL + "/hook#" + secret}
	newest := uint64(1)
	for round := range 3 {
		p := start(t, args...)
		client := p.client(t)
		for i := range 5 {
			accepted, err := client.Apply(t.Context(), put(10*round+i))
			if err != nil {
				t.Fatal(err)
			}
			newest = accepted.Revision
		}
		mu.Lock()
		failing = round == 0 // and comes back only after the first kill
		mu.Unlock()
		if round == 2 {
			wait := time.NewTimer(60 * time.Second)
			defer wait.Stop()
			for look := time.NewTicker(20 * time.Millisecond); ; {
				mu.Lock()
				done := len(got) > 0 && got[len(got)-1] == newest
				mu.Unlock()
				if done {
					look.Stop()
					break
				}
				select {
				case <-look.C:
				case <-wait.C:
					t.Fatalf("received %v of %d\n%s", got, newest, p.logged())
				}
			}
		}
		_ = p.signal(t, syscall.SIGKILL)
	}
	mu.Lock()
	defer mu.Unlock()
	for i, r := range got {
		if before := append([]uint64{1}, got...)[i]; r != before+1 && r != before {
			t.Errorf("received %v: %d after %d", got, r, before)
		}
	}
}

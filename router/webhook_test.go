package router_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/router/webhook"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// TestWebhookStatus: a receiver that asks to be left alone is, while writes go on; status,
// metrics and page say so, and nowhere what its address has in it. Afterwards it gets all.
func TestWebhookStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pipes := faultnet.NewPipes()
		var asked, taken atomic.Int64
		var busy atomic.Bool
		receiver := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			asked.Add(1)
			if busy.Load() {
				w.Header().Set("Retry-After", "600")
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			taken.Add(1)
		})}
		served := make(chan error, 1)
		go func() { served <- receiver.Serve(pipes) }()
		defer func() {
			_ = receiver.Close()
			<-served
		}()
		mem := memstore.New(nil)
		create(t, mem, "shop")
		h, err := webhook.New(webhook.Options{
			URL: "http://receiver.example/do-not-tell", Secrets: [][]byte{[]byte("0123456789abcdef")}, Records: mem, Journal: mem, Alone: true,
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) { return pipes.DialContext(ctx) },
		})
		if err != nil {
			t.Fatal(err)
		}
		r := serve(t, router.Options{Store: mem, Webhooks: []*webhook.Hook{h}})
		c := r.client(t)
		synctest.Wait()

		busy.Store(true)
		write(t, c, "shop", 1)
		synctest.Wait()
		for n := 2; n < 10; n++ {
			time.Sleep(time.Minute)
			write(t, c, "shop", n)
		}
		st, err := c.Status(t.Context())
		if err != nil || len(st.Webhooks) != 1 || asked.Load() != 1 {
			t.Fatalf("asked %d times; %+v, %v", asked.Load(), st.Webhooks, err)
		}
		w := st.Webhooks[0]
		if wait := time.Until(w.NextTry); w.Set != "shop" || w.Lag != 9 || w.Status != 429 || w.Gaps != 0 || wait < time.Minute || wait > 3*time.Minute || !strings.Contains(w.Error, "429") {
			t.Errorf("status %+v, next try in %v", w, wait)
		}
		_, metrics := get(t, r.ops, "/metrics")
		labels := `{name="` + w.Name + `",set="shop"} `
		for _, want := range []string{"holdfast_router_webhook_status" + labels + "429", "holdfast_router_webhook_gaps_total" + labels + "0", `holdfast_router_sink_next_try_seconds{kind="webhook",name="` + w.Name + `",set="shop"} 1`} {
			if !strings.Contains(metrics, want) {
				t.Errorf("metrics lack %s", want)
			}
		}
		_, page := get(t, r.http, "/health")
		for _, want := range []string{w.Name, "answered 429", "next try"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page lacks %q", want)
			}
		}
		if strings.Contains(metrics+page+w.Name+w.Error, "do-not-tell") {
			t.Error("the address is told")
		}

		busy.Store(false)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if st, err = c.Status(t.Context()); err != nil || taken.Load() != 9 {
			t.Fatalf("taken %d, %v", taken.Load(), err)
		}
		if w := st.Webhooks[0]; w.Lag != 0 || w.Error != "" || w.Status != 200 || !w.NextTry.IsZero() {
			t.Errorf("afterwards %+v", w)
		}
	})
}

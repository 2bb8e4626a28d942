package router_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
)

// stream opens what is at a URL as a browser's EventSource does, with nothing but that. The
// end of the test is the end of it.
func (g *guarded) stream(t *testing.T, path string) (status int, in *bufio.Reader) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+g.http+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return resp.StatusCode, bufio.NewReader(resp.Body)
}

// streamOf asks for all flags of shop with a key and returns where their events are.
func (g *guarded) streamOf(t *testing.T, key string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+g.http+"/ofrep/v1/evaluate/flags", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Flagd-Selector", "flagSetId=shop")
	req.Header.Set("X-Api-Key", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var list struct {
		EventStreams []struct {
			Endpoint struct{ RequestURI string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || resp.StatusCode != http.StatusOK || len(list.EventStreams) != 1 {
		t.Fatalf("%d, %+v, %v", resp.StatusCode, list, err)
	}
	return list.EventStreams[0].Endpoint.RequestURI
}

// TestPageFollowsByTicket: a page that has asked with its key hears of changes at a URL,
// until the key is revoked. No ticket is in the log.
func TestPageFollowsByTicket(t *testing.T) {
	g := guard(t)
	text, key, err := authz.CreateKey(t.Context(), g.keys.Records(), authz.Key{Role: authz.Evaluator, Sets: []string{"shop"}})
	if err != nil {
		t.Fatal(err)
	}
	url := g.streamOf(t, text)
	_, ticket, found := strings.Cut(url, "&ticket=")
	if !found {
		t.Fatalf("no ticket in %s", url)
	}
	status, in := g.stream(t, url)
	if status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	hear := func(revision string) {
		t.Helper()
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				t.Fatalf("waiting for %s: %v", revision, err)
			}
			if line == "id: "+revision+"\n" {
				return
			}
		}
	}
	for n := 2; n < 5; n++ {
		hear(write(t, g.mem, "shop", n).Token().String())
	}

	for _, path := range []string{
		"/api/v1/sets/shop/watch?ticket=" + ticket, "/api/v1/sets/shop/snapshot?channels=shop&ticket=" + ticket, "/api/v1/sets/shop/head?ticket=" + ticket,
	} {
		if status, _ := g.stream(t, path); status != http.StatusUnauthorized {
			t.Errorf("%s: %d", path, status)
		}
	}

	if _, err := authz.RevokeKey(t.Context(), g.keys.Records(), key.ID, "ana"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		t.Errorf("the stream of a revoked key: %v", err)
	}

	// Guessing is counted as that of keys is: from one address ten times at once.
	limited := false
	for range 30 {
		switch status, _ := g.stream(t, url); status {
		case http.StatusUnauthorized:
		case http.StatusTooManyRequests:
			limited = true
		default:
			t.Fatalf("the ticket of a revoked key: %d", status)
		}
	}
	if !limited {
		t.Error("nobody counts bad tickets")
	}
	if log := g.log.String(); strings.Contains(log, ticket) || strings.Contains(log, ticket[strings.LastIndexByte(ticket, '.')+1:]) {
		t.Error("a ticket is in the log")
	}
}

package ofrep_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// keyed runs a test in virtual time, which begins with a window of tickets, over a router
// with access control that gave out a key. The set shop is public.
func keyed(t *testing.T, opts ofrep.Options, test func(r *rig, key string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		records := memstore.New(nil)
		text, _, err := authz.CreateKey(t.Context(), records, authz.Key{Role: authz.Evaluator})
		if err != nil {
			t.Fatal(err)
		}
		keys, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: records, PublicSets: []string{"shop"}})
		if err != nil {
			t.Fatal(err)
		}
		r, stop := openRig(t, opts, evaluator.Options{Policy: keys})
		defer stop()
		defer func() { _ = records.Close() }()
		test(r, "Bearer "+text)
	})
}

// streamOf returns the URL of an answer's event stream.
func streamOf(t *testing.T, a answers) string {
	t.Helper()
	if len(a.EventStreams) != 1 {
		t.Fatalf("event streams %+v", a.EventStreams)
	}
	return a.EventStreams[0].Endpoint.RequestURI
}

// TestTicketsInAnswers: who asks with a key is told a URL that a browser can open, and
// nobody else is, whoever asked before.
func TestTicketsInAnswers(t *testing.T) {
	keyed(t, ofrep.Options{}, func(r *rig, key string) {
		const shop = "flagSetId=shop"
		var bare string
		for range 2 {
			with := decode[answers](t, r.all("", "Authorization", key, selector, shop), http.StatusOK)
			w := r.all("", selector, shop)
			without := decode[answers](t, w, http.StatusOK)
			if url := streamOf(t, without); url != sse+"?channels=shop" {
				t.Errorf("without a key: %s", url)
			}
			if tag := w.Header().Get("ETag"); bare != "" && tag != bare {
				t.Errorf("without a key the tag was %s, then %s", bare, tag)
			} else {
				bare = tag
			}
			url := streamOf(t, with)
			if !strings.HasPrefix(url, sse+"?channels=shop&ticket=") {
				t.Errorf("with one: %s", url)
			}
			time.Sleep(time.Hour)
		}

		url := streamOf(t, decode[answers](t, r.all("", "Authorization", key), http.StatusOK))
		_, query, _ := strings.Cut(url, "?")
		for path, want := range map[string]int{
			url:                       http.StatusOK,
			sse + "/?" + query:        http.StatusOK,
			sse + "?channels=default": http.StatusUnauthorized,
			strings.Replace(url, "default", "shop", 1): http.StatusUnauthorized, // public, but who shows a ticket means it
			strings.Replace(url, "channels", "c", 1):   http.StatusUnauthorized,
		} {
			if w := r.ask(http.MethodHead, path, ""); w.Code != want {
				t.Errorf("%s: %d, want %d", path, w.Code, want)
			}
		}
		// Of another set by the header, which comes before what the URL says.
		if w := r.ask(http.MethodHead, url, "", selector, "flagSetId=other"); w.Code != http.StatusForbidden {
			t.Errorf("another set by the header: %d", w.Code)
		}
		if w := r.ask(http.MethodHead, url, "", "X-Api-Key", "hf_wrong"); w.Code != http.StatusUnauthorized {
			t.Errorf("with a bad key: %d", w.Code)
		}
		// Flags are not for tickets.
		for _, path := range []string{bulk, bulk + "/x"} {
			if w := r.ask(http.MethodPost, path+"?"+query, ""); w.Code != http.StatusUnauthorized {
				t.Errorf("%s by a ticket: %d", path, w.Code)
			}
		}
		time.Sleep(20 * time.Minute)
		if w := r.ask(http.MethodHead, url, ""); w.Code != http.StatusUnauthorized || !strings.Contains(w.Header().Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("expired: %d %v", w.Code, w.Header())
		}
	})
}

// stranded is how often a page that comes back to its event stream after a while, having
// asked for flags with the tag that it has, found that it had no good ticket; answers is
// how often it was told anything.
func stranded(t *testing.T, opts ofrep.Options) (times, answered int) {
	t.Helper()
	keyed(t, opts, func(r *rig, key string) {
		var tag, url string
		for range 60 {
			w := r.all("", "Authorization", key, "If-None-Match", tag)
			if w.Code == http.StatusOK {
				answered++
				tag, url = w.Header().Get("ETag"), streamOf(t, decode[answers](t, w, http.StatusOK))
			}
			if w := r.ask(http.MethodHead, url, ""); w.Code != http.StatusOK {
				times++
			}
			time.Sleep(time.Minute)
		}
	})
	return times, answered
}

// TestTagHasTheTicket: an answer is new once in each window of ten minutes, and never is a
// page left with a ticket that has expired.
func TestTagHasTheTicket(t *testing.T) {
	if times, answered := stranded(t, ofrep.Options{}); times != 0 || answered != 6 {
		t.Errorf("no good ticket %d times; %d new answers in an hour, want 6", times, answered)
	}
}

// TestTagWithoutTheTicket is its twin.
func TestTagWithoutTheTicket(t *testing.T) {
	if times, _ := stranded(t, ofrep.Options{}.TagOfSet()); times == 0 {
		t.Error("with a tag that does not know of tickets, a page always had a good one")
	}
}

package ofrep_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

func TestETag(t *testing.T) {
	r, token := filledRig(t)
	const pro, free = `{"context":{"plan":"pro"}}`, `{"context":{"plan":"free"}}`
	tagOf := func(body string, headers ...string) string {
		t.Helper()
		w := r.all(body, append(headers, revision, token.String())...)
		tag := w.Header().Get("ETag")
		if w.Code != http.StatusOK || len(tag) < 20 || tag[0] != '"' || tag[len(tag)-1] != '"' {
			t.Fatalf("%d, tag %q", w.Code, tag)
		}
		return tag
	}
	first := tagOf(pro)
	if tagOf(pro) != first || tagOf(`{"context": {"plan":"pro","more":1}}`) != first {
		t.Error("equal answers have different tags")
	}
	if tagOf(free) == first {
		t.Error("another context has the same tag")
	}
	if tagOf(pro, selector, "flagSetId=default") == first {
		t.Error("another metadata has the same tag")
	}
	bare := strings.Trim(first, `"`)
	for _, said := range []string{first, bare, "W/" + first, "W/" + bare, `"x", ` + first, "x," + bare, " " + first + " "} {
		w := r.all(pro, "If-None-Match", said)
		if w.Code != http.StatusNotModified || w.Body.Len() != 0 || w.Header().Get("ETag") != first || w.Header().Get(revision) != token.String() {
			t.Errorf("If-None-Match %s: %d %s %v", said, w.Code, w.Body, w.Header())
		}
		if w := r.all(free, "If-None-Match", said); w.Code != http.StatusOK {
			t.Errorf("If-None-Match %s for another context: %d", said, w.Code)
		}
	}
	for _, said := range []string{"", "*", `""`, `"` + bare, bare[1:], `"x"`} {
		if w := r.all(pro, "If-None-Match", said); (w.Code == http.StatusNotModified) != (said == `"`+bare) {
			t.Errorf("If-None-Match %s: %d", said, w.Code)
		}
	}
}

// TestETagSurvivesWhatDoesNotConcernIt: a commit that changes nothing for a context
// costs that client 304 and not a new answer. The revision is in the header.
func TestETagSurvivesWhatDoesNotConcernIt(t *testing.T) {
	r, token := filledRig(t)
	const mine = `{"context":{"targetingKey":"tenant-43"}}`
	tag := r.all(mine, revision, token.String()).Header().Get("ETag")
	token = r.override("default", "over", "tenant-44", "on")
	w := r.all(mine, revision, token.String(), "If-None-Match", tag)
	if w.Code != http.StatusNotModified || w.Header().Get(revision) != token.String() {
		t.Errorf("an override of somebody else: %d %v", w.Code, w.Header())
	}
	token = r.override("default", "over", "tenant-43", "on")
	w = r.all(mine, revision, token.String(), "If-None-Match", tag)
	list := decode[answers](t, w, http.StatusOK)
	if list.find("over").Value != true || w.Header().Get("ETag") == tag {
		t.Errorf("an override of mine: %+v", list.find("over"))
	}
}

// TestBulkFollowsTheSet: what is kept encoded from one revision to the next is never
// taken for what it is not.
func TestBulkFollowsTheSet(t *testing.T) {
	r, token := filledRig(t)
	check := func(step, key string, want any, present bool, team string) {
		t.Helper()
		list := decode[answers](t, r.all("", revision, token.String()), http.StatusOK)
		single := r.one(key, "", revision, token.String())
		got := list.find(key)
		if (got != nil) != present || (single.Code == http.StatusOK) != present {
			t.Fatalf("%s: %+v among all, %d alone", step, got, single.Code)
		}
		if !present {
			return
		}
		one := decode[result](t, single, http.StatusOK)
		if got.Value != want || one.Value != want || got.Metadata["team"] != team || one.Metadata["team"] != team {
			t.Errorf("%s: %+v among all, %+v alone; want %v of %s", step, got, one, want, team)
		}
	}
	check("at first", "bool", true, true, "set")
	token = r.put("default", "bool", `{"variants":{"on":"new"},"defaultVariant":"on"}`)
	check("another value of the variant", "bool", "new", true, "set")
	check("another flag", "off", false, true, "set")
	token = r.put("default", "bool", `{"variants":{"on":"new"},"defaultVariant":"on","metadata":{"team":"own"}}`)
	check("metadata of the flag", "bool", "new", true, "own")
	token = r.put("default", "aaa", `{"variants":{"on":1},"defaultVariant":"on"}`, "zzz", `{"variants":{"on":2},"defaultVariant":"on"}`)
	check("a flag before", "aaa", 1.0, true, "set")
	check("a flag behind", "zzz", 2.0, true, "set")
	check("one between", "bool", "new", true, "own")
	token = r.metadata("default", "team", `"renamed"`)
	check("metadata of the set", "off", false, true, "renamed")
	check("metadata of the set below the flag's", "bool", "new", true, "own")
	token = r.remove("default", "bool")
	check("deleted", "bool", nil, false, "")
	check("its neighbours", "aaa", 1.0, true, "renamed")
	token = r.put("default", "bool", `{"variants":{"on":true},"defaultVariant":"on"}`)
	check("back again", "bool", true, true, "renamed")
}

// browser is a client that keeps its last answer and tag, whatever context it has: flagd's
// provider for the web lets go of them only for another targeting key.
type browser struct{ tag, body string }

func (b *browser) fetch(t *testing.T, r *rig, token flags.Token, context string) string {
	t.Helper()
	w := r.all(`{"context":`+context+`}`, revision, token.String(), "If-None-Match", b.tag)
	switch w.Code {
	case http.StatusNotModified:
	case http.StatusOK:
		b.tag, b.body = w.Header().Get("ETag"), w.Body.String()
	default:
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	return b.body
}

// stale walks a browser through contexts and changes, and returns how often it was left
// with flags that are not those that one without a past gets.
func stale(t *testing.T, opts ofrep.Options) (times int) {
	t.Helper()
	r := newRig(t, opts, evaluator.Options{})
	token := r.put("default", "pro", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}}`,
		"on", `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`)
	b := &browser{}
	look := func() {
		for _, context := range []string{`{"plan":"pro"}`, `{"plan":"free"}`, `{"plan":"pro","targetingKey":"me"}`, `{"targetingKey":"me"}`} {
			got, want := b.fetch(t, r, token, context), (&browser{}).fetch(t, r, token, context)
			if before, _, _ := strings.Cut(got, `"metadata"`); !strings.HasPrefix(want, before) { // which has the revision
				times++
			}
		}
	}
	look()
	token = r.override("default", "on", "me", "off")
	look()
	token = r.put("default", "on", `{"state":"DISABLED","variants":{"on":true,"off":false},"defaultVariant":"on"}`)
	look()
	token = r.remove("default", "pro")
	look()
	return times
}

// TestNeverStale: no client that keeps an answer by its tag is left with another's values.
func TestNeverStale(t *testing.T) {
	if times := stale(t, ofrep.Options{}); times > 0 {
		t.Errorf("%d answers were those of another context or revision", times)
	}
}

// TestTagOfSet is its twin.
func TestTagOfSet(t *testing.T) {
	if stale(t, ofrep.Options{}.TagOfSet()) == 0 {
		t.Error("with the tag of the set every answer was right")
	}
}

package restapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/restapi"
)

// TestHistoryHasBefores: each change of the history says what it was, what it became,
// and nothing of what the journal does not have any more.
func TestHistoryHasBefores(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	for _, v := range []string{"on", "off"} {
		r.want(201, r.put(shop+"/flags/"+v, strings.Replace(on, `"defaultVariant":"on"`, `"defaultVariant":"`+v+`"`, 1)))
	}
	r.want(200, r.ask("PATCH", shop+"/flags/on", `{"defaultVariant":"off"}`, "Content-Type", jsonType))
	r.want(200, r.ask("DELETE", shop+"/flags/off", ""))
	changes := func(query string) (out []string) {
		got := decode[struct{ Commits []restwire.Commit }](t, r.get(shop+"/history"+query))
		for _, c := range got.Commits {
			for _, ch := range c.Changes {
				out = append(out, fmt.Sprintf("%d %s %s->%s", c.Revision, ch.Name, byDefault(ch.Before), byDefault(ch.Value)))
			}
		}
		return out
	}
	const whole = "[2 on none->on 3 off none->off 4 on on->off 5 off off->?]"
	if got := fmt.Sprint(changes("")); got != whole {
		t.Errorf("%s, want %s", got, whole)
	}
	for _, query := range []string{"?limit=2", "?from=4", "?from=4&to=5"} {
		if got := fmt.Sprint(changes(query)); got != "[4 on on->off 5 off off->?]" {
			t.Errorf("%s: %s", query, got)
		}
	}
	if got := fmt.Sprint(changes("?key=on")); got != "[2 on none->on 4 on on->off]" {
		t.Error(got)
	}
	if err := r.mem.Compact(t.Context(), "shop", 2); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(changes("?from=5")); got != "[5 off ?->?]" {
		t.Errorf("compacted: %s", got)
	}
}

func byDefault(value []byte) string {
	switch text := string(value); {
	case text == "":
		return "?"
	case text == "null":
		return "none"
	case strings.Contains(text, `"defaultVariant":"on"`):
		return "on"
	default:
		return "off"
	}
}

// TestThen: a set can be read as it was, as long as the journal tells.
func TestThen(t *testing.T) {
	r := newRig(t, restapi.Options{})
	r.create("shop")
	for _, name := range []string{"a", "b", "c"} {
		r.write("shop", name)
	}
	w := r.want(200, r.get(shop+"/snapshot?revision=3"))
	token := w.Header().Get(restwire.RevisionHeader)
	if text := w.Body.String(); !strings.HasPrefix(token, "shop@0.3~") || w.Header().Get("ETag") != `"`+token+`"` || !strings.Contains(text, `"b":`) || strings.Contains(text, `"c":`) {
		t.Errorf("%s: %s", token, text)
	}
	for _, revision := range []string{"0.3", "shop@0.3", token} {
		if got := r.want(200, r.get(shop+"/export?revision="+revision)).Body.String(); got != w.Body.String() {
			t.Errorf("%s: %s", revision, got)
		}
	}
	r.want(http.StatusNotModified, r.get(shop+"/snapshot?revision=3", "If-None-Match", `"`+token+`"`))
	got, err := restwire.ReadParts(r.get(shop+"/snapshot?revision=3", "Accept", restwire.FramesType).Body, nil)
	if err != nil || got.Head.Token().String() != token || got.Checkpoint.Verify() != nil {
		t.Errorf("frames: %+v, %v", got, err)
	}
	for query, status := range map[string]int{
		"revision=": 400, "revision=x": 400, "revision=other@0.3": 400, "revision=3&after=1": 400, "revision=99": 404, "revision=1.1": 404, "revision=shop@0.3~zzzzzzzz": 412,
	} {
		if w := r.get(shop + "/snapshot?" + query); w.Code != status {
			t.Errorf("%s: %d %s, want %d", query, w.Code, w.Body, status)
		}
	}
	if err := r.mem.Compact(t.Context(), "shop", 1); err != nil {
		t.Fatal(err)
	}
	for _, what := range []string{"/snapshot", "/export"} {
		if w := r.get(shop + what + "?revision=2"); w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "#compacted") {
			t.Errorf("compacted: %d %s", w.Code, w.Body)
		}
	}
}

package ofrep_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// definitions are one flag for each way to turn out.
var definitions = []string{
	"bool", `{"variants":{"on":true,"off":false},"defaultVariant":"on"}`,
	"off", `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`,
	"text", `{"variants":{"a":"say \"hi\"\n<é>"},"defaultVariant":"a"}`,
	"empty", `{"variants":{"a":""},"defaultVariant":"a"}`,
	"int", `{"variants":{"big":9007199254740991},"defaultVariant":"big"}`,
	"zero", `{"variants":{"z":0},"defaultVariant":"z"}`,
	"float", `{"variants":{"f":3.14},"defaultVariant":"f"}`,
	"object", `{"variants":{"o":{"b":[1,{"c":null}],"a":"x"}},"defaultVariant":"o"}`,
	"disabled", `{"state":"DISABLED","variants":{"on":true},"defaultVariant":"on"}`,
	"bare", `{"variants":{"on":true}}`,
	"rule", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}}`,
	"nested", `{"variants":{"on":true,"off":false},"defaultVariant":"off","targeting":{"if":[{"in":[{"var":"geo.country"},["NZ","AU"]]},"on"]}}`,
	"ruled", `{"variants":{"on":true},"targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on"]}}`,
	"over", `{"variants":{"on":true,"off":false},"defaultVariant":"off"}`,
	"told", `{"variants":{"on":true},"defaultVariant":"on","metadata":{"team":"flag","n":1.5,"holdfastRevision":"mine"}}`,
	"a b/c?%é", `{"variants":{"on":true},"defaultVariant":"on"}`,
}

// foreign are flags that no write of ours would let pass.
var foreign = []string{
	"array", `{"defaultVariant":"l","variants":{"l":[1,"two",false]}}`,
	"broken", `{"defaultVariant":"on","targeting":{"nonsense":[]},"variants":{"on":true}}`,
	"lost", `{"defaultVariant":"on","targeting":"none","variants":{"on":true}}`,
}

// cases are what the flags turn out as. A value of "" is none: the caller's default.
var cases = []struct {
	key, context, value, variant, reason, code string
}{
	{"bool", ``, `true`, "on", "STATIC", ""},
	{"off", ``, `false`, "off", "STATIC", ""},
	{"text", ``, `"say \"hi\"\n<é>"`, "a", "STATIC", ""},
	{"empty", ``, `""`, "a", "STATIC", ""},
	{"int", ``, `9007199254740991`, "big", "STATIC", ""},
	{"zero", ``, `0`, "z", "STATIC", ""},
	{"float", ``, `3.14`, "f", "STATIC", ""},
	{"object", ``, `{"a":"x","b":[1,{"c":null}]}`, "o", "STATIC", ""},
	{"array", ``, `[1,"two",false]`, "l", "STATIC", ""},
	{"disabled", ``, ``, "", "DISABLED", ""},
	{"bare", ``, ``, "", "DEFAULT", ""},
	{"rule", `{"plan":"pro"}`, `true`, "on", "TARGETING_MATCH", ""},
	{"rule", `{"plan":"free"}`, `false`, "off", "DEFAULT", ""},
	{"rule", ``, `false`, "off", "DEFAULT", ""},
	{"nested", `{"geo":{"country":"NZ"}}`, `true`, "on", "TARGETING_MATCH", ""},
	{"nested", `{"geo":"NZ"}`, `false`, "off", "DEFAULT", ""},
	{"ruled", ``, ``, "", "DEFAULT", ""},
	{"ruled", `{"plan":"pro"}`, `true`, "on", "TARGETING_MATCH", ""},
	{"broken", ``, ``, "", "", "PARSE_ERROR"},
	{"lost", ``, ``, "", "", "GENERAL"},
	{"over", `{"targetingKey":"tenant-42"}`, `true`, "on", "TARGETING_MATCH", ""},
	{"over", `{"targetingKey":"tenant-43"}`, `false`, "off", "DEFAULT", ""},
	{"over", ``, `false`, "off", "DEFAULT", ""},
	{"over", `{"targetingKey":42}`, `false`, "off", "DEFAULT", ""},
	{"told", ``, `true`, "on", "STATIC", ""},
	{"a b/c?%é", ``, `true`, "on", "STATIC", ""},
}

func filledRig(t testing.TB) (*rig, flags.Token) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{})
	r.put("default", definitions...)
	r.mirror("default", foreign...)
	r.metadata("default", "team", `"set"`)
	return r, r.override("default", "over", "tenant-42", "on")
}

// TestAnswers: every flag says the same alone and among all.
func TestAnswers(t *testing.T) {
	r, token := filledRig(t)
	escape := strings.NewReplacer(" ", "%20", "/", "%2F", "?", "%3F", "%", "%25").Replace
	for _, c := range cases {
		body := ""
		if c.context != "" {
			body = `{"context":` + c.context + `}`
		}
		status := http.StatusOK
		if c.code != "" {
			status = http.StatusBadRequest
		}
		w := r.one(escape(c.key), body, revision, token.String())
		single := decode[result](t, w, status)
		whole := r.all(body, revision, token.String())
		list := decode[answers](t, whole, http.StatusOK)
		among := list.find(c.key)
		if among == nil {
			t.Fatalf("%s is not among all", c.key)
		}
		for how, got := range map[string]*result{"alone": &single, "among all": among} {
			value := ""
			if got.Value != nil {
				var text strings.Builder
				enc := json.NewEncoder(&text)
				enc.SetEscapeHTML(false)
				_ = enc.Encode(got.Value)
				value = strings.TrimSpace(text.String())
			}
			variant := ""
			if got.Variant != nil {
				variant = *got.Variant
			}
			if got.Key != c.key || value != c.value || variant != c.variant || got.Reason != c.reason || got.ErrorCode != c.code || (got.Variant != nil) != (c.value != "") {
				t.Errorf("%s %s (%s): %+v, variant %q; want %+v", c.key, c.context, how, got, variant, c)
			}
			if (got.ErrorDetails != "") != (c.code != "") {
				t.Errorf("%s (%s): details %q", c.key, how, got.ErrorDetails)
			}
			team := "set"
			if c.key == "told" {
				team = "flag"
			}
			if got.Metadata["team"] != team || got.Metadata["freshness"] != nil {
				t.Errorf("%s (%s): metadata %v", c.key, how, got.Metadata)
			}
		}
		// In a bulk answer the revision is said once: a client compares flags to see which changed.
		if single.Metadata["holdfastRevision"] != token.String() || among.Metadata["holdfastRevision"] != nil || list.Metadata["holdfastRevision"] != token.String() {
			t.Errorf("%s: revision %v alone, %v and %v among all", c.key, single.Metadata, among.Metadata, list.Metadata)
		}
		for _, h := range []http.Header{w.Header(), whole.Header()} {
			if h.Get(revision) != token.String() || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: headers %v", c.key, h)
			}
		}
	}
}

func TestBulkIsSortedAndAdvertisesItsEvents(t *testing.T) {
	r, token := filledRig(t)
	list := decode[answers](t, r.all("", revision, token.String()), http.StatusOK)
	if len(list.Flags) != (len(definitions)+len(foreign))/2 || !slices.IsSortedFunc(list.Flags, func(a, b result) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("%d flags: %+v", len(list.Flags), list.Flags)
	}
	if len(list.EventStreams) != 1 || list.EventStreams[0].Type != "sse" || list.EventStreams[0].Endpoint.RequestURI != sse+"?channels=default" || list.EventStreams[0].InactivityDelaySec != 120 {
		t.Errorf("event streams %+v", list.EventStreams)
	}
	if list.Metadata["team"] != "set" {
		t.Errorf("metadata %v", list.Metadata)
	}
	// A set without flags is a statement too.
	none := decode[answers](t, r.all("", selector, "flagSetId=shop"), http.StatusOK)
	if none.Flags == nil || len(none.Flags) != 0 || none.Metadata["flagSetId"] != "shop" || none.EventStreams[0].Endpoint.RequestURI != sse+"?channels=shop" {
		t.Errorf("an empty set: %+v", none)
	}
}

func TestSelectors(t *testing.T) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{})
	token := r.put("shop", "bool", definitions[1])
	for _, how := range []string{"flagSetId=shop", "source=shop", "shop"} {
		if got := decode[result](t, r.one("bool", "", selector, how, revision, token.String()), http.StatusOK); got.Value != true {
			t.Errorf("%s: %+v", how, got)
		}
	}
	key, value, _ := strings.Cut("flagSetId=shop", "=")
	if got := decode[result](t, r.one("none", "", selector, "flagSetId=shop"), http.StatusNotFound); got.Metadata[key] != value || got.ErrorCode != "FLAG_NOT_FOUND" {
		t.Errorf("a flag that is not there: %+v", got)
	}
	for what, w := range map[string]func() result{
		"one": func() result { return decode[result](t, r.one("bool", "", selector, "none"), http.StatusNotFound) },
		"all": func() result { return decode[result](t, r.all("", selector, "none"), http.StatusNotFound) },
	} {
		if got := w(); got.ErrorCode != "FLAG_NOT_FOUND" || got.Metadata["source"] != "none" {
			t.Errorf("%s of a set that is not there: %+v", what, got)
		}
	}
	for _, w := range []string{"", "/bool"} {
		got := decode[result](t, r.ask(http.MethodPost, bulk+w, "", selector, "x=shop"), http.StatusBadRequest)
		if got.ErrorCode != "GENERAL" || got.ErrorDetails != `invalid selector: invalid selector key "x", valid keys: "flagSetId", "source"` {
			t.Errorf("an unknown key: %+v", got)
		}
	}
}

// TestContextFromTheRouter: what the router knows wins over what the request says.
func TestContextFromTheRouter(t *testing.T) {
	r := newRig(t, ofrep.Options{}, evaluator.Options{
		Context: map[string]flags.Value{"plan": flags.StringValue("pro")}, HeaderContext: map[string]string{"x-tenant": "targetingKey"},
	})
	r.put("default", definitions...)
	token := r.override("default", "over", "tenant-42", "on").String()
	if got := decode[result](t, r.one("rule", `{"context":{"plan":"free"}}`, revision, token), http.StatusOK); got.Value != true {
		t.Errorf("static: %+v", got)
	}
	list := decode[answers](t, r.all(`{"context":{"targetingKey":"other"}}`, "X-Tenant", "tenant-42"), http.StatusOK)
	if list.find("over").Value != true || list.find("rule").Value != true {
		t.Errorf("among all: %+v", list.find("over"))
	}
}

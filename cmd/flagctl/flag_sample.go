package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
)

// maxSample is as many as answer within a second.
const maxSample = 1_000_000

// sampleView says how many of the made-up targeting keys get what.
type sampleView struct {
	Key    string       `json:"key"`
	Sample int          `json:"sample"`
	Token  string       `json:"token"`
	Served []servedView `json:"served"` // most first
}

// servedView is an answer and how many got it.
type servedView struct {
	Variant   string          `json:"variant,omitempty"`
	Value     json.RawMessage `json:"value"` // null: the caller's own default
	Reason    string          `json:"reason"`
	ErrorCode string          `json:"errorCode,omitempty"`
	Count     int             `json:"count"`
}

// sample evaluates a flag for targeting keys that differ in nothing else. They are
// the same each time, so that two revisions can be compared.
func (a *app) sample(view flags.View, q *asking) error {
	type kind struct{ variant, reason, code string }
	served := map[kind]*servedView{}
	answer := sampleView{Key: q.key, Sample: q.sample, Token: view.Token().String()}
	for i := range q.sample {
		d := view.ValueDetails(q.key, q.ec.With(flags.String(flags.TargetingKey, fmt.Sprintf("sample-%d", i+1))), flags.Value{})
		k := kind{variant: d.Variant, reason: d.Reason.String()}
		if d.ErrorCode != flags.ErrorNone {
			k.code = d.ErrorCode.String()
		}
		if served[k] == nil {
			served[k] = &servedView{Variant: k.variant, Value: d.Value.AppendJSON(nil), Reason: k.reason, ErrorCode: k.code}
		}
		served[k].Count++
	}
	for s := range maps.Values(served) {
		answer.Served = append(answer.Served, *s)
	}
	slices.SortFunc(answer.Served, func(x, y servedView) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Variant, y.Variant), cmp.Compare(x.Reason, y.Reason))
	})
	return a.print(answer, func(w io.Writer) { sampleTable(w, answer) })
}

func sampleTable(w io.Writer, v sampleView) {
	row(w, "VARIANT", "VALUE", "REASON", "COUNT", "SHARE")
	for _, s := range v.Served {
		variant, value := s.Variant, string(s.Value)
		if variant == "" && value == "null" {
			variant, value = "-", "the caller's own default"
		}
		row(w, variant, shorten(value, 40), cmp.Or(s.ErrorCode, s.Reason), s.Count, fmt.Sprintf("%.1f %%", 100*float64(s.Count)/float64(v.Sample)))
	}
}

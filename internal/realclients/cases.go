package main

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
)

//go:embed js
var scripts embed.FS

//go:embed flags/default.json
var defaultFlags []byte

//go:embed flags/other.json
var otherFlags []byte

//go:embed cases.json
var casesFile []byte

// question asks for the details of a flag.
type question struct {
	Flag    string `json:"flag"`
	Type    string `json:"type"` // boolean, string, number, object; integer where a client knows it
	Default any    `json:"default"`
}

// answer is what an application gets.
type answer struct {
	Value    any            `json:"value"`
	Variant  string         `json:"variant"`
	Reason   string         `json:"reason"`
	Error    string         `json:"error"` // OpenFeature's error code, "" if none
	Message  string         `json:"message,omitempty"`
	Metadata map[string]any `json:"metadata,omitempty"`
}

// testcase is a question and its answer, with what is different for some kinds of
// clients.
type testcase struct {
	question
	Context  string             `json:"context"`
	Want     answer             `json:"want"`
	Metadata map[string]any     `json:"metadata"` // at least this
	Again    bool               `json:"again"`    // it was asked before, in another context
	In       map[string]outlier `json:"in"`
}

// outlier is what differs in a kind of clients.
type outlier struct {
	Want  *answer `json:"want"`
	Aside string  `json:"aside"` // why the kind cannot give the answer
}

// cases is the table of questions, by flag set, and the contexts they are asked in.
type cases struct {
	Contexts map[string]map[string]any `json:"contexts"`
	Sets     map[string][]testcase     `json:"sets"`
}

func readCases() (cases, error) {
	var c cases
	if err := json.Unmarshal(casesFile, &c); err != nil {
		return c, fmt.Errorf("cases.json: %w", err)
	}
	for _, set := range c.Sets {
		for _, tc := range set {
			if _, ok := c.Contexts[tc.Context]; !ok {
				return c, fmt.Errorf("cases.json: %s: no context %q", tc.Flag, tc.Context)
			}
		}
	}
	return c, nil
}

// byContext returns the questions of a set, grouped by context in their order.
func (c cases) byContext(set string) [][]testcase {
	var groups [][]testcase
	for _, tc := range c.Sets[set] {
		i := slices.IndexFunc(groups, func(g []testcase) bool { return g[0].Context == tc.Context })
		if i < 0 {
			groups = append(groups, []testcase{tc})
			continue
		}
		groups[i] = append(groups[i], tc)
	}
	return groups
}

// fits tells what is wrong with an answer.
func (got answer) fits(want answer) error {
	var faults []error
	if !reflect.DeepEqual(got.Value, want.Value) {
		faults = append(faults, fmt.Errorf("value %v, want %v", got.Value, want.Value))
	}
	for _, f := range [][3]string{{"variant", got.Variant, want.Variant}, {"reason", got.Reason, want.Reason}, {"error code", got.Error, want.Error}} {
		if f[1] != f[2] {
			faults = append(faults, fmt.Errorf("%s %q, want %q", f[0], f[1], f[2]))
		}
	}
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("%w (message %q)", err, cmp.Or(got.Message, "none"))
	}
	return nil
}

var revision = regexp.MustCompile(`^\w+@\d+\.\d+~\w+$`)

// carries tells what is missing in the metadata of an answer.
func (got answer) carries(want map[string]any) error {
	for k, v := range want {
		if got.Metadata[k] != v {
			return fmt.Errorf("metadata %v, want %s=%v", got.Metadata, k, v)
		}
	}
	return nil
}

// dated tells whether an answer says which revision it is from.
func (got answer) dated() error {
	if token, _ := got.Metadata["holdfastRevision"].(string); !revision.MatchString(token) {
		return fmt.Errorf("metadata %v without a revision", got.Metadata)
	}
	return nil
}

package vendorformat_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/vendorformat"
)

// A cell of the table in docs/import.md is told by one of these files.

func ldFlagWith(fields string) string {
	return `{"flags": {"f": {"variations": [true, false], "offVariation": 1, ` + fields + `}}, "segments": {"s": {"included": ["ann"]}}}`
}

func ldClauseOf(clause string) string {
	return ldFlagWith(`"on": true, "fallthrough": {"variation": 1}, "rules": [{"variation": 0, "clauses": [{` + clause + `}]}]`)
}

func unleashStrategyOf(strategy string) string {
	return `{"features": [{"name": "f", "enabled": true, "strategies": [{` + strategy + `}]}], "segments": [{"id": 1, "name": "s", "constraints": [{"contextName": "a", "operator": "IN", "values": ["b"]}]}]}`
}

func unleashConstraintOf(constraint string) string {
	return unleashStrategyOf(`"name": "default", "constraints": [{` + constraint + `}]`)
}

func goffFlagWith(fields string) string {
	return `{"f": {"variations": {"a": 1, "b": 2}, ` + fields + `}}`
}

func goffQueryOf(query string) string {
	return goffFlagWith(fmt.Sprintf(`"defaultRule": {"variation": "a"}, "targeting": [{"query": %q, "variation": "b"}]`, query))
}

func fliptConstraintOf(constraint string) string {
	return `{"flags": [{"key": "f", "enabled": true, "variants": [{"key": "x"}], "rules": [{"segment": "s", "distributions": [{"variant": "x", "rollout": 100}]}]}],
		"segments": [{"key": "s", "match_type": "ALL_MATCH_TYPE", "constraints": [{` + constraint + `}]}]}`
}

// cells are by feature and format; what is not here is – in the table.
var cells = map[string]map[string]string{
	"off": {
		"launchdarkly": ldFlagWith(`"on": false, "fallthrough": {"variation": 0}`),
		"unleash":      `{"features": [{"name": "f", "enabled": false, "strategies": [{"name": "default"}]}]}`,
		"goff":         goffFlagWith(`"disable": true, "defaultRule": {"variation": "a"}`),
		"flipt":        `{"flags": [{"key": "f", "enabled": false, "variants": [{"key": "x"}]}]}`,
	},
	"individual targets": {
		"launchdarkly": ldFlagWith(`"on": true, "fallthrough": {"variation": 1}, "targets": [{"variation": 0, "values": ["ann"]}]`),
		"unleash":      unleashStrategyOf(`"name": "userWithId", "parameters": {"userIds": "ann"}`),
		"goff":         goffQueryOf(`key in ["ann"]`),
		"flipt":        fliptConstraintOf(`"type": "ENTITY_ID_COMPARISON_TYPE", "property": "e", "operator": "eq", "value": "ann"`),
	},
	"one of several values": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "in", "values": ["x", "y"]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "IN", "values": ["x", "y"]`),
		"goff":         goffQueryOf(`a in ["x", "y"]`),
		"flipt":        fliptConstraintOf(`"type": "STRING_COMPARISON_TYPE", "property": "a", "operator": "isoneof", "value": "[\"x\", \"y\"]"`),
	},
	"negated": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "in", "values": ["x"], "negate": true`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "IN", "values": ["x"], "inverted": true`),
		"goff":         goffQueryOf(`not (a in ["x"])`),
		"flipt":        fliptConstraintOf(`"type": "STRING_COMPARISON_TYPE", "property": "a", "operator": "isnotoneof", "value": "[\"x\"]"`),
	},
	"begins with, ends with, contains": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "startsWith", "values": ["x"]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "STR_ENDS_WITH", "values": ["x"]`),
		"goff":         goffQueryOf(`a co "x"`),
		"flipt":        fliptConstraintOf(`"type": "STRING_COMPARISON_TYPE", "property": "a", "operator": "prefix", "value": "x"`),
	},
	"without regard to case": {
		"unleash": unleashConstraintOf(`"contextName": "a", "operator": "STR_CONTAINS", "values": ["x"], "caseInsensitive": true`),
		"goff":    goffQueryOf(`a eq "x"`),
	},
	"order of numbers": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "lessThan", "values": [5]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "NUM_LT", "value": "5"`),
		"goff":         goffQueryOf(`a lt 5`),
		"flipt":        fliptConstraintOf(`"type": "NUMBER_COMPARISON_TYPE", "property": "a", "operator": "lt", "value": "5"`),
	},
	"versions": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "semVerEqual", "values": ["1.2.3"]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "SEMVER_EQ", "value": "1.2.3"`),
		"goff":         goffQueryOf(`a eq 1.2.3`),
	},
	"regular expressions": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "matches", "values": ["x$"]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "REGEX", "value": "x$"`),
	},
	"dates in attributes": {
		"launchdarkly": ldClauseOf(`"attribute": "a", "op": "after", "values": [1000]`),
		"unleash":      unleashConstraintOf(`"contextName": "a", "operator": "DATE_AFTER", "value": "2001-01-01T00:00:00Z"`),
		"flipt":        fliptConstraintOf(`"type": "DATETIME_COMPARISON_TYPE", "property": "a", "operator": "gt", "value": "2001-01-01"`),
	},
	"the time of the question": {
		"unleash": unleashConstraintOf(`"contextName": "currentTime", "operator": "DATE_AFTER", "value": "2001-01-01T00:00:00Z"`),
	},
	"segments": {
		"launchdarkly": ldClauseOf(`"attribute": "", "op": "segmentMatch", "values": ["s"]`),
		"unleash":      unleashStrategyOf(`"name": "default", "segments": [1]`),
		"flipt":        fliptConstraintOf(`"type": "STRING_COMPARISON_TYPE", "property": "a", "operator": "eq", "value": "x"`),
	},
	"shares": {
		"launchdarkly": ldFlagWith(`"on": true, "fallthrough": {"rollout": {"variations": [{"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]}}`),
		"unleash":      unleashStrategyOf(`"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "userId"}`),
		"goff":         goffFlagWith(`"defaultRule": {"percentage": {"a": 50, "b": 50}}`),
		"flipt":        `{"flags": [{"key": "f", "type": "BOOLEAN_FLAG_TYPE", "rollouts": [{"threshold": {"percentage": 50, "value": true}}]}]}`,
	},
	"shares by an attribute": {
		"launchdarkly": ldFlagWith(`"on": true, "fallthrough": {"rollout": {"bucketBy": "team", "variations": [{"variation": 0, "weight": 50000}, {"variation": 1, "weight": 50000}]}}`),
		"unleash":      unleashStrategyOf(`"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "team"}`),
		"goff":         goffFlagWith(`"bucketingKey": "team", "defaultRule": {"percentage": {"a": 50, "b": 50}}`),
	},
	"shares by chance": {
		"unleash": unleashStrategyOf(`"name": "gradualRolloutRandom", "parameters": {"percentage": "50"}`),
	},
	"payloads, attachments": {
		"unleash": unleashStrategyOf(`"name": "default", "variants": [{"name": "v", "weight": 1000, "payload": {"type": "string", "value": "x"}}]`),
		"flipt":   `{"flags": [{"key": "f", "enabled": true, "variants": [{"key": "x", "attachment": {"a": 1}}]}]}`,
	},
	"other kinds of contexts": {
		"launchdarkly": ldClauseOf(`"contextKind": "org", "attribute": "key", "op": "in", "values": ["acme"]`),
	},
	"JsonLogic": {"goff": goffQueryOf(`{"==": [{"var": "a"}, 1]}`)},
	"dependencies, prerequisites": {
		"launchdarkly": ldFlagWith(`"on": true, "fallthrough": {"variation": 0}, "prerequisites": [{"key": "g", "variation": 0}]`),
		"unleash":      `{"features": [{"name": "f", "enabled": true, "strategies": []}], "dependencies": [{"feature": "f", "dependencies": []}]}`,
	},
	"progressive and scheduled rollouts": {
		"goff": goffFlagWith(`"defaultRule": {"variation": "a"}, "scheduledRollout": [{}]`),
	},
	"variations of several types, or lists": {
		"launchdarkly": `{"flags": {"f": {"on": true, "variations": [[1], [2]], "fallthrough": {"variation": 0}}}}`,
		"goff":         `{"f": {"variations": {"a": 1, "b": "2"}, "defaultRule": {"variation": "a"}}}`,
	},
}

// TestTableInDocs imports each cell of docs/import.md.
func TestTableInDocs(t *testing.T) {
	text, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	seen := 0
	for line := range strings.Lines(string(text)) {
		cellsOf := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cellsOf {
			cellsOf[i] = strings.TrimSpace(cellsOf[i])
		}
		switch files, known := cells[cellsOf[0]]; {
		case slices.Contains(cellsOf, "flipt") && len(cellsOf) == 5:
			columns = cellsOf
		case columns != nil && known:
			seen++
			for i, format := range columns[1:] {
				if got := outcome(t, format, files[format]); got != cellsOf[i+1] {
					t.Errorf("%s of %s: %s, the table says %s", cellsOf[0], format, got, cellsOf[i+1])
				}
			}
		case columns != nil && len(cellsOf) == 5 && !strings.HasPrefix(line, "| ---"):
			t.Errorf("no test for the row %q", cellsOf[0])
		}
	}
	if seen != len(cells) {
		t.Errorf("%d rows, but %d are tested", seen, len(cells))
	}
}

func outcome(t *testing.T, format, file string) string {
	if file == "" {
		return "–"
	}
	got := read(t, format, file, vendorformat.Options{Lossy: true})
	if err := got.Document.Check(); err != nil {
		t.Errorf("%s: %v", format, err)
	}
	verdict := "exact"
	for _, n := range got.Notes {
		switch {
		case n.Lost:
			return "refused"
		case !strings.HasPrefix(n.Place, "all "):
			verdict = "noted"
		}
	}
	return verdict
}

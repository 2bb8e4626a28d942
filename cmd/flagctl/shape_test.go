package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestShapes: scripts rely on the names in the JSON of what is asked most. More may
// be added to them; a name that goes or changes breaks somebody's script.
func TestShapes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flags.db")
	if err := newStore([]string{path, "default"}); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"HOLDFAST_STORE": "bolt:" + path, "USER": "tester"}
	flagctl := func(args ...string) (answer any) {
		var out, fault bytes.Buffer
		if code := run(t.Context(), args, stdio{in: strings.NewReader(""), out: &out, err: &fault, getenv: func(name string) string { return env[name] }}); code != exitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, &fault)
		}
		if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return answer
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"create", "new-checkout", "--description", "the new one", "--reason", "r"}, "changes token"},
		{[]string{"segment", "set", "pro", "--when", `plan == "pro"`, "--dry-run"}, "changes dryRun token"},
		{[]string{"rollout", "new-checkout", "on=25,off=75"}, "changes token"},
		{[]string{"override", "set", "new-checkout", "--entity", "tenant-42", "on"}, "changes token"},
		{[]string{"list", "-o", "json"}, "defaultVariant description key overrides revision state targeting type"},
		{[]string{"get", "new-checkout", "-o", "json"}, "changed created definition key overrides revision rules"},
		{[]string{"eval", "new-checkout", "--entity", "tenant-42", "-o", "json"}, "key reason token value variant"},
		{[]string{"eval", "new-checkout", "--entity", "tenant-42", "--explain", "-o", "json"}, "explain key reason token value variant"},
		{[]string{"eval", "new-checkout", "--sample", "9", "-o", "json"}, "key sample served token"},
		{[]string{"history", "new-checkout", "-o", "json"}, "actor changes op time token via"},
		{[]string{"override", "list", "-o", "json"}, "entity key variant"},
		{[]string{"sets", "list", "-o", "json"}, "changed entries set status token"},
	} {
		answer := flagctl(c.args...)
		if list, isList := answer.([]any); isList && len(list) > 0 {
			answer = list[0]
		}
		object, _ := answer.(map[string]any)
		names := slices.Sorted(maps.Keys(object))
		for want := range strings.FieldsSeq(c.want) {
			if !slices.Contains(names, want) {
				t.Errorf("%v has no %q: %v", c.args, want, names)
			}
		}
	}
}

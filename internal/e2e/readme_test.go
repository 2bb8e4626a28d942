package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// shown is a command of the README with the answer printed under it.
type shown struct{ command, answer string }

func readREADME(t *testing.T) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(readme)
}

// commandsShown returns what the README shows as a session of a terminal: "$ command",
// over more lines if they end in a backslash, and the answer up to the next one.
func commandsShown(t *testing.T) (all []shown) {
	t.Helper()
	for _, block := range regexp.MustCompile("(?s)```console\n(.*?)```").FindAllStringSubmatch(readREADME(t), -1) {
		all = append(all, session(block[1])...)
	}
	return all
}

func session(block string) (all []shown) {
	for _, part := range strings.Split("\n"+block, "\n$ ")[1:] {
		part = strings.ReplaceAll(part, "\\\n", " ")
		command, answer, _ := strings.Cut(part, "\n")
		all = append(all, shown{command, answer})
	}
	return all
}

// lineage is the part of a token that each new store draws anew.
var lineage = regexp.MustCompile(`~[a-z0-9]{8}`)

func asJSON(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(lineage.ReplaceAllString(text, "~")), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// TestREADME: the commands that the README shows, run as they are but for the ports
// against a router just started, answer what the README says.
func TestREADME(t *testing.T) {
	eval := freeAddr(t)
	r := startRouter(t, "--eval-addr", eval)
	ports := strings.NewReplacer("localhost:8013", eval, "localhost:8016", r.http)
	all := commandsShown(t)
	if len(all) < 4 {
		t.Fatalf("only %d commands found: the form has changed", len(all))
	}
	for _, c := range all {
		sh := exec.CommandContext(t.Context(), "sh", "-c", ports.Replace(c.command))
		var stderr strings.Builder
		sh.Stderr = &stderr
		out, err := sh.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.command, err, &stderr)
		}
		if got, want := asJSON(t, string(out)), asJSON(t, c.answer); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\nanswers %s\nwhich is not\n%s", c.command, out, c.answer)
		}
	}
}

package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// walkSteps are the sessions of a terminal, and the pages of the router, that the
// operator's walk of the README leads through, in order.
var walkSteps = regexp.MustCompile("(?s)```shell-session\n(.*?)```|<(http://localhost:8016/[^>]*)>")

// walked is what the answers of two walks differ in: each store has a lineage of its
// own, and it was another day.
var walked = regexp.MustCompile(`~[a-z0-9]{8}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

func same(answer string) string { return strings.TrimSpace(walked.ReplaceAllString(answer, "")) }

// overridden is the row of the Entity page that the README promises.
var overridden = regexp.MustCompile(`(?s)data-key="new-checkout">.*?<bdi>on</bdi>.*?>override</a>.*?</tr>`)

// TestREADMEWalk: who types what the README tells an operator, and opens the page it
// names, sees what is promised there, on a router just started.
func TestREADMEWalk(t *testing.T) {
	_, walk, found := strings.Cut(readREADME(t), "## Ten minutes as an operator\n")
	walk, _, _ = strings.Cut(walk, "\n## ")
	var steps []shown
	pages := 0
	for _, step := range walkSteps.FindAllStringSubmatch(walk, -1) {
		steps = append(steps, session(step[1])...)
		if page := step[2]; page != "" {
			pages++
			steps = append(steps, shown{command: "curl -s '" + page + "'"})
		}
	}
	if !found || pages != 1 || len(steps) < 12 {
		t.Fatalf("%d steps and %d pages found: the form has changed", len(steps), pages)
	}
	for i, got := range typed(t, startRouter(t), steps) {
		command, want := steps[i].command, steps[i].answer
		switch {
		case strings.HasPrefix(command, "curl "):
			if !overridden.MatchString(got) {
				t.Errorf("%s shows no override of new-checkout:\n%s", command, got)
			}
		case same(got) != same(want):
			t.Errorf("$ %s\n%s\nis not what the README prints:\n%s", command, got, want)
		}
	}
}

// typed runs the commands in one shell, as on a terminal, and returns what each prints.
func typed(t *testing.T, r *router, steps []shown) []string {
	t.Helper()
	const end = "\x1e"
	script := "flagctl() { command flagctl -o table \"$@\"; }\n" // as it answers on a terminal
	for _, s := range steps {
		script += strings.ReplaceAll(s.command, "localhost:8016", r.http) + "\nprintf '\\036'\n"
	}
	sh := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
	sh.Dir = t.TempDir()
	sh.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "HOLDFAST_SERVER="+r.grpc, "USER=you", "COLUMNS=200")
	var stderr strings.Builder
	sh.Stderr = &stderr
	out, err := sh.Output()
	answers := strings.Split(string(out), end)
	if err != nil || len(answers) != len(steps)+1 {
		t.Fatalf("%v after %d of %d commands: %s", err, len(answers)-1, len(steps), &stderr)
	}
	return answers[:len(steps)]
}

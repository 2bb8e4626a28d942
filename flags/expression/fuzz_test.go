package expression_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// FuzzCompile: any text compiles to a rule that is shown again, or has an error that points into it.
func FuzzCompile(f *testing.F) {
	for _, text := range []string{
		`country in ["NZ", "AU"] && plan == "pro" && !startsWith(email, "test")`, `percent(25, by: email, seed: "x") || attr("é") !== null`,
		`!(semver(version) ~ "1.2") && has(a.b, c) && "\ud83d\ude00" in x`, "a == 'b\\'' \n|| 1e2 <= -3", `segment("x") || a not in segment("y")`, "\u202e", `(((`, `a ==`,
		`when a == "x" serve on = 1, "o f" = 2 by k when b serve c else d`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := expression.Compile(text)
		if err != nil {
			checkPlace(t, text, err)
		} else if shown, ok := expression.Show(rule); ok {
			if again, err := expression.Compile(shown); err != nil || string(again) != string(rule) {
				t.Errorf("%q compiles to\n%s, shown as\n%s, which compiles to\n%s, %v", text, rule, shown, again, err)
			}
		} else if len(text) < expression.MaxLength/8 { // of longer text the normal form may be too long
			t.Errorf("%q compiles to %s, which is not shown", text, rule)
		}
		targeting, err := expression.ParseTargeting(text)
		if err != nil {
			checkPlace(t, text, err)
			return
		}
		if again, err := expression.ParseTargeting(targeting.String()); len(text) < expression.MaxLength/8 && (err != nil || again.String() != targeting.String()) {
			t.Errorf("%q is\n%s, which is read as\n%s, %v", text, targeting, again, err)
		}
	})
}

func checkPlace(t *testing.T, text string, err error) {
	var e *expression.Error
	if !errors.As(err, &e) {
		return // of a rule as a whole
	}
	lines := strings.Split(text, "\n")
	if e.Line < 1 || e.Line > len(lines) || e.Column < 1 || e.Column > utf8.RuneCountInString(lines[e.Line-1])+1 {
		t.Errorf("%q: %v points outside of the text", text, err)
	}
	if caret := e.Caret(); strings.Count(caret, "\n") != 1 || len(caret) > 1000 || e.Message == "" {
		t.Errorf("%q: %v: %q", text, err, caret)
	}
}

// FuzzShow: any rule is shown as what compiles to its own canonical bytes, or not at all.
func FuzzShow(f *testing.F) {
	m := maker{rand.New(rand.NewPCG(1, 2))}
	for range 40 {
		rule, err := expression.Compile(m.condition(2).text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(rule)
	}
	for _, rule := range []string{`{"if":[{"var":"a"},"on",{"fractional":[["on",1],["off",2]]}]}`, `{"and":[]}`, `[`, `{"!":{"!":{"in":["a",{"$ref":"b"}]}}}`} {
		f.Add([]byte(rule))
	}
	f.Fuzz(func(t *testing.T, rule []byte) { checkShown(t, rule) })
}

func checkShown(t *testing.T, rule []byte) (shown bool) {
	canonical, cerr := flags.Canonical(rule)
	if text, ok := expression.Show(rule); ok {
		shown = true
		if back, err := expression.Compile(text); cerr != nil || err != nil || string(back) != string(canonical) {
			t.Errorf("%s is shown as\n%s, which compiles to\n%s, %v", rule, text, back, err)
		}
	}
	if targeting, ok := expression.ShowTargeting(rule); ok && rule != nil {
		shown = true
		if back, err := targeting.Compile(); cerr != nil || err != nil || string(back) != string(canonical) {
			t.Errorf("%s is shown as\n%s, which compiles to\n%s, %v", rule, targeting, back, err)
		}
	}
	return shown
}

// TestShowIsExact changes rules that can be shown in small ways: most of what comes out cannot be shown, and nothing is
// shown as something else. Without the check that Show ends with, some would be.
func TestShowIsExact(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(3, 5))}
	shown, mangled := 0, 0
	for range volume() {
		rule, err := expression.Compile(m.condition(2).text)
		if err != nil {
			t.Fatal(err)
		}
		var term any
		if err := json.Unmarshal(rule, &term); err != nil {
			t.Fatal(err)
		}
		changed, err := json.Marshal(m.change(term))
		if err != nil {
			t.Fatal(err)
		}
		if checkShown(t, changed) {
			shown++
		}
		canonical, err := flags.Canonical(changed)
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := expression.ShowUnchecked(changed); ok {
			if back, err := expression.Compile(text); err != nil || string(back) != string(canonical) {
				mangled++
			}
		}
	}
	if n := volume(); shown < n/20 || shown > n*19/20 || mangled == 0 {
		t.Errorf("of %d changed rules %d are shown; %d would be mangled without the check", n, shown, mangled)
	}
}

// change replaces, wraps, drops or doubles one piece of a rule.
func (m maker) change(term any) any {
	if op, ok := term.(map[string]any); ok && m.IntN(4) > 0 {
		for name, arg := range op {
			if m.IntN(6) == 0 {
				name = oneOf(m, "and", "or", "!", "==", "in", "if", "var", "missing", "sem_ver", "fractional", "starts_with", "$ref", "cat")
			}
			return map[string]any{name: m.change(arg)}
		}
	}
	if list, ok := term.([]any); ok && len(list) > 0 && m.IntN(4) > 0 {
		i := m.IntN(len(list))
		list[i] = m.change(list[i])
		return list
	}
	switch m.IntN(6) {
	case 0:
		return []any{term}
	case 1:
		return map[string]any{"!": term}
	case 2:
		return oneOf[any](m, nil, true, "in", "out", "targetingKey", "$flagd.flagKey", "", 7, 25000, 0.5, []any{}, map[string]any{}, "x\u202e")
	case 3:
		if list, ok := term.([]any); ok && len(list) > 0 {
			return list[1:]
		}
	case 4:
		if list, ok := term.([]any); ok && len(list) > 0 {
			return append(list, list[0])
		}
	}
	return term
}

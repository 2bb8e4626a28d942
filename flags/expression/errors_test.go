package expression_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags/expression"
)

// TestErrors: each mistake is found where it is, and said what to do about.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                            `column 1: unexpected end of the text, want an attribute or a value`,
		`plan = "pro"`:                `column 6: unexpected "="; write ==`,
		`"pro" = plan`:                `column 7: unexpected "="; write ==`,
		`plan == "pro" and b`:         `column 15: unexpected "and"; write &&`,
		`plan == "pro" or b`:          `column 15: unexpected "or"; write ||`,
		`not beta`:                    `column 1: unexpected "not"; write !`,
		`a & b`:                       `column 3: single '&'; write &&`,
		`a | b`:                       `column 3: single '|'; write ||`,
		`a + 1 == 2`:                  `column 3: unexpected '+'; there is no arithmetic`,
		`plan == "pro" || "team"`:     `column 18: text "team" alone is no condition; compare it`,
		`7`:                           `column 1: number 7 alone is no condition`,
		`null && a`:                   `column 1: "null" alone is no condition`,
		`plan == "pro`:                `column 9: string without an end; close it with "`,
		"plan == \"pro\n\"":           `column 13: line break in a string`,
		"a &&\n b == ":                `line 2, column 7: unexpected end of the text`,
		"a == \"x\ty\"":               `column 8: control character U+0009 in a string; write it as \u0009`,
		`plan == “pro”`:               `column 9: typographic quote '“'; write plain quotes`,
		"a \u202e== 1":                `column 3: invisible character U+202E`,
		"a \u0007":                    `column 3: invisible character U+0007`,
		"a\u00a0== 1":                 `column 2: invisible character U+00A0`,
		"a == \xff":                   `column 6: byte 0xff is not UTF-8`,
		"a == \"\xff\"":               `column 6: malformed string`,
		`a == "\ud800"`:               `column 6: malformed string`,
		`a == "\x41"`:                 `column 7: unknown escape in a string`,
		`größe == 1`:                  `column 3: unexpected 'ö'; an attribute with other characters`,
		`名前 == 1 && é`:                `column 1: unexpected '名'`,
		`a == "é日😀" && b ==`:          `column 19: unexpected end of the text`,
		`user-agent == "x"`:           `column 5: unexpected '-'; there is no arithmetic`,
		`startWith(a, "x")`:           `column 1: unknown function "startWith"; did you mean startsWith?`,
		`x && starts_with(a, "x")`:    `column 6: unknown function "starts_with"; did you mean startsWith?`,
		`SemVer(v) > "1"`:             `column 1: unknown function "SemVer"; did you mean semver?`,
		`frobnicate(a)`:               `column 1: unknown function "frobnicate"; there are startsWith`,
		`a == upper(b)`:               `column 6: unknown function "upper"`,
		`a == has(b)`:                 `column 6: has(...) is a condition, not a value`,
		`startsWith(a "x")`:           `column 14: unexpected text "x", want "," and the text`,
		`startsWith(a, 5)`:            `column 15: unexpected number 5, want an attribute or text; quote text`,
		`startsWith(a, "x"`:           `column 18: unexpected end of the text, want ")" to close startsWith(`,
		`startsWith(a, "x", "y")`:     `column 18: unexpected ",", want ")"`,
		`contains(5, a)`:              `column 10: cannot look into 5`,
		`country in "NZ", "AU"`:       `column 16: unexpected ","`,
		`country in ("NZ", "AU")`:     `column 12: unexpected "("; a list is written in brackets`,
		`country in [NZ, AU]`:         `column 13: a list holds text, numbers, true, false and null; quote text: "NZ"`,
		`country in ["NZ" "AU"]`:      `column 18: unexpected text "AU", want "," or "]"`,
		`country in ["NZ"`:            `column 17: unexpected end of the text`,
		`country not == 1`:            `column 13: unexpected "==", want "in" after "not"`,
		`a == ["x"]`:                  `column 6: unexpected list; a list stands after in`,
		`1 < a < 3`:                   `column 7: unexpected "<"; attributes and values are compared, two at a time`,
		`(a == b) == c`:               `column 10: unexpected "=="; attributes and values are compared`,
		`!a == b`:                     `column 2: ! before a comparison; put it in parentheses`,
		`!a in [1]`:                   `column 2: ! before a comparison`,
		`!a not in [1]`:               `column 2: ! before a comparison`,
		`!semver(v) > "1"`:            `column 2: ! before a comparison`,
		`(a || b`:                     `column 8: unexpected end of the text, want ")"`,
		`a || b)`:                     `column 7: unexpected ")"; it closes nothing`,
		`a b`:                         `column 3: unexpected "b"; join conditions with && or ||`,
		`a ""`:                        `column 3: unexpected text ""; join`,
		`version ~ "1.2"`:             `column 9: unexpected "~"; versions are compared as in semver(version)`,
		`semver(version)`:             `column 16: unexpected end of the text, want a comparison of versions; one of`,
		`semver(version) === "1"`:     `column 17: unexpected "===", want a comparison of versions`,
		`semver(version) >= 1.2`:      `column 20: unexpected number 1.2, want a version; quote it`,
		`semver(version) >= "latest"`: `column 20: "latest" is no semantic version`,
		`version >= 1.2.0`:            `column 12: malformed number "1.2.0"; quote versions`,
		`a == 007`:                    `column 6: malformed number "007"`,
		`a == 1e999`:                  `column 6: malformed number "1e999"`,
		`a == 5px`:                    `column 6: malformed number "5px"`,
		`percent(101)`:                `column 9: unexpected number 101, want a number from 0 to 100`,
		`percent(0.1234)`:             `column 9: unexpected number 0.1234`,
		`percent(-0)`:                 `column 9: unexpected number -0`,
		`percent(25%)`:                `column 11: unexpected '%'`,
		`percent(25, of: a)`:          `column 13: unexpected "of"; percent takes a number, by: ATTRIBUTE`,
		`percent(25, by: "a")`:        `column 17: unexpected text "a", want the attribute to bucket by`,
		`percent(25, by: a, by: b)`:   `column 20: unexpected "by"`,
		`percent(25, seed: a)`:        `column 19: unexpected "a", want a seed`,
		`has("email")`:                `column 5: unexpected text "email", want the name of an attribute; without quotes`,
		`has()`:                       `column 5: unexpected ")"`,
		`attr(email)`:                 `column 6: unexpected "email", want the name of the attribute in quotes`,
		`attr("")`:                    `column 1: an attribute without a name`,
		`segment(a)`:                  `column 9: unexpected "a", want the name of the segment in quotes`,
		`segment("")`:                 `column 1: a segment without a name`,
		`$flagd.time > 1`:             `column 1: unknown variable "$flagd.time"; there are $flagd.timestamp`,
		`serve == 1`:                  `column 1: unexpected "serve"; an attribute of that name is written attr("serve")`,
		`true == in`:                  `column 9: unexpected "in"`,
	} {
		_, err := expression.Compile(text)
		var e *expression.Error
		if !errors.As(err, &e) || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s:\n got %v\nwant %s", text, err, want)
		}
	}
}

func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(a && ", n) + "b" + strings.Repeat(")", n) }
	if _, err := expression.Compile(nested(expression.MaxDepth)); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		nested(expression.MaxDepth + 1):                `column 121: nested deeper than 20 levels; give a part of it a name`,
		strings.Repeat("!", 1000) + "a":                `column 21: nested deeper`,
		"a " + strings.Repeat(" ", 64<<10):             `column 1: 65538 bytes are too long, at most 65536; split it`,
		strings.Repeat("(", 60_000):                    `column 21: nested deeper`,
		strings.Repeat("a && ", 10_000):                `column 50001: unexpected end of the text`,
		`a == "` + strings.Repeat("x", 60_000) + `" b`: `column 60009: unexpected "b"`,
	} {
		if _, err := expression.Compile(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40s...: got %v, want %s", text, err, want)
		}
	}
}

func TestCaret(t *testing.T) {
	long := strings.Repeat(`x || `, 100)
	for text, want := range map[string]string{
		`a &&`:                   "a &&\n    ^",
		"a &&\nb = \"é\"\n&& c":  "b = \"é\"\n  ^",
		"\"é日\" = b":             "\"é日\" = b\n     ^",
		"\ta = \u202e1":          " a = ?1\n   ^",
		"a == \x1b[31m":          "a == ?[31m\n     ^",
		long + `plan = 1` + long: strings.Repeat("x || ", 9) + "plan = 1" + strings.Repeat("x || ", 6)[:28] + "\n" + strings.Repeat(" ", 50) + "^",
	} {
		_, err := expression.Compile(text)
		var e *expression.Error
		if !errors.As(err, &e) {
			t.Fatalf("%s: %v", text, err)
		}
		if got := e.Caret(); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
}

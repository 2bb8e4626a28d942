package expression_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/murmur3"
)

// attributes is an evaluation context as the interpreter below reads it: string, float64, bool or []string; absent is nil.
type attributes map[string]any

// made is a condition as text, and what it means, said a second time by hand.
type made struct {
	text  string
	holds func(attributes) bool
}

// maker makes conditions at random.
type maker struct{ *rand.Rand }

func oneOf[T any](m maker, list ...T) T { return list[m.IntN(len(list))] }

const flagKey = "new-checkout"

var (
	plans    = []string{"pro", "free", "team", ""}
	emails   = []string{"ann@example.com", "test@example.com", "bob@example.org", "日本@é", ""}
	versions = []string{"1.2.0", "1.2.3", "1.10.0", "2.0.0", "v1.2.3", "3", "1.2", "not a version"}
	groups   = []string{"ops", "dev", "beta"}
	segments = map[string]made{
		"pilots": {`plan == "pro" && seats > 10`, func(a attributes) bool { return a["plan"] == "pro" && num(a["seats"]) > 10 }},
		"staff":  {`endsWith(email, "@example.com")`, func(a attributes) bool { return strings.HasSuffix(str(a["email"]), "@example.com") }},
	}
)

// context makes attributes, each of which may be absent.
func (m maker) context() attributes {
	all := attributes{
		"plan": oneOf(m, plans...), "email": oneOf(m, emails...), "seats": float64(m.IntN(25)), "ratio": oneOf(m, -0.5, 0, 0.5, 1.25),
		"beta": m.IntN(2) == 0, "version": oneOf(m, versions...), "groups": groups[:m.IntN(4)], "targetingKey": "tenant-" + strconv.Itoa(m.IntN(1000)),
		"geo.country": oneOf(m, "NZ", "AU", "DE"), "odd name": oneOf(m, plans...),
	}
	for name := range all {
		if m.IntN(4) == 0 {
			delete(all, name)
		}
	}
	return all
}

func str(v any) string  { s, _ := v.(string); return s }
func num(v any) float64 { f, _ := v.(float64); return f } // what is absent counts as 0 in an order

// condition makes one of up to depth groups inside one another.
func (m maker) condition(depth int) made {
	if depth == 0 || m.IntN(4) == 0 {
		return m.test()
	}
	if m.IntN(3) == 0 {
		c := m.condition(depth - 1)
		return made{"!(" + c.text + ")", func(a attributes) bool { return !c.holds(a) }}
	}
	parts := make([]made, 2+m.IntN(3))
	texts := make([]string, len(parts))
	for i := range parts {
		parts[i] = m.condition(depth - 1)
		if texts[i] = parts[i].text; strings.Contains(texts[i], "|") || strings.Contains(texts[i], "&") || m.IntN(5) == 0 {
			texts[i] = "(" + texts[i] + ")"
		}
	}
	if m.IntN(2) == 0 {
		return made{strings.Join(texts, oneOf(m, " && ", "&&", "\n\t&& ")), func(a attributes) bool {
			return !slices.ContainsFunc(parts, func(c made) bool { return !c.holds(a) })
		}}
	}
	return made{strings.Join(texts, oneOf(m, " || ", "||")), func(a attributes) bool {
		return slices.ContainsFunc(parts, func(c made) bool { return c.holds(a) })
	}}
}

func (m maker) test() made {
	return oneOf(m, m.equality, m.order, m.membership, m.affix, m.look, m.presence, m.version, m.percent, m.plain)()
}

func (m maker) plain() made {
	if name := oneOf(m, "pilots", "staff", "", ""); name != "" {
		return made{fmt.Sprintf("segment(%q)", name), segments[name].holds}
	}
	if m.IntN(3) == 0 {
		return made{"true", func(attributes) bool { return true }}
	}
	return made{oneOf(m, "beta", "!!beta", `attr("beta")`), func(a attributes) bool { return a["beta"] == true }}
}

func (m maker) equality() made {
	name, text, want := "plan", "", any(nil)
	switch m.IntN(4) {
	case 0:
		name, want = oneOf(m, "plan", "odd name"), oneOf(m, plans...)
		text = fmt.Sprintf(oneOf(m, "%q", "'%s'"), want)
		if want == "" {
			text = `""`
		}
	case 1:
		name, want = "seats", float64(m.IntN(25))
		text = fmt.Sprint(want) + oneOf(m, "", ".0", "e0")
	case 2:
		name, want, text = "beta", true, "true"
	default:
		name, text = oneOf(m, "plan", "seats", "geo.country", "groups"), "null"
	}
	op := oneOf(m, "==", "!=", "===", "!==")
	written := name
	if name == "odd name" {
		written = `attr("odd name")`
	}
	sides := []string{written, text}
	if m.IntN(4) == 0 {
		slices.Reverse(sides)
	}
	return made{strings.Join(sides, " "+op+" "), func(a attributes) bool {
		if list, isList := a[name].([]string); isList { // only ever compared with null
			return (list == nil) == (op[0] == '=')
		}
		return (a[name] == want) == (op[0] == '=')
	}}
}

func (m maker) order() made {
	name, limit := oneOf(m, "seats", "ratio"), oneOf(m, -1, 0, 0.5, 7, 12, 1e3)
	op := oneOf(m, "<", "<=", ">", ">=")
	return made{fmt.Sprintf("%s %s %v", name, op, limit), func(a attributes) bool { return ordered(op, cmp.Compare(num(a[name]), limit)) }}
}

func ordered(op string, c int) bool {
	switch op {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	case ">=":
		return c >= 0
	case "==":
		return c == 0
	}
	return c != 0
}

func (m maker) membership() made {
	list := []any{}
	for range m.IntN(4) {
		list = append(list, oneOf[any](m, "NZ", "AU", "pro", "", 7.0, 0.0, true, nil))
	}
	texts := make([]string, len(list))
	for i, e := range list {
		texts[i] = fmt.Sprint(e)
		if s, ok := e.(string); ok {
			texts[i] = strconv.Quote(s)
		} else if e == nil {
			texts[i] = "null"
		}
	}
	name, word := oneOf(m, "geo.country", "plan", "seats", "beta"), oneOf(m, "in", "not in")
	return made{name + " " + word + " [" + strings.Join(texts, ",") + "]", func(a attributes) bool { return slices.Contains(list, a[name]) == (word == "in") }}
}

func (m maker) affix() made {
	part := oneOf(m, "test", "@example.com", "é", "", "ann@example.com.")
	if m.IntN(2) == 0 {
		return made{fmt.Sprintf("startsWith(email, %q)", part), func(a attributes) bool { s, ok := a["email"].(string); return ok && strings.HasPrefix(s, part) }}
	}
	return made{fmt.Sprintf("endsWith(email, %q)", part), func(a attributes) bool { s, ok := a["email"].(string); return ok && strings.HasSuffix(s, part) }}
}

func (m maker) look() made {
	if m.IntN(2) == 0 {
		part := oneOf(m, "example", "本", "@")
		return made{fmt.Sprintf(oneOf(m, "contains(email, %q)", "contains( email ,%q)"), part), func(a attributes) bool { return strings.Contains(str(a["email"]), part) }}
	}
	part := oneOf(m, "ops", "beta", "none")
	return made{fmt.Sprintf("%q in groups", part), func(a attributes) bool { list, _ := a["groups"].([]string); return slices.Contains(list, part) }}
}

func (m maker) presence() made {
	names := []string{"plan", "email", "seats", "geo.country"}[m.IntN(3):]
	lacking := func(a attributes) bool {
		return slices.ContainsFunc(names, func(name string) bool { return a[name] == nil || a[name] == "" })
	}
	if m.IntN(2) == 0 {
		return made{"missing(" + strings.Join(names, ", ") + ")", lacking}
	}
	return made{"has(" + strings.Join(names, ", ") + ")", func(a attributes) bool { return !lacking(a) }}
}

// numbers reads the versions above; ok is false for what is none.
func numbers(v any) (n [3]int, ok bool) {
	for i, part := range strings.Split(strings.TrimPrefix(str(v), "v"), ".") {
		var err error
		if n[i], err = strconv.Atoi(part); err != nil {
			return n, false
		}
	}
	return n, true
}

func (m maker) version() made {
	op, than := oneOf(m, "==", "!=", "<", "<=", ">", ">=", "~", "^"), oneOf(m, versions[:7]...)
	return made{fmt.Sprintf("semver(version) %s %q", op, than), func(a attributes) bool {
		x, ok := numbers(a["version"])
		y, _ := numbers(than)
		switch {
		case !ok:
			return false
		case op == "^":
			return x[0] == y[0]
		case op == "~":
			return x[0] == y[0] && x[1] == y[1]
		}
		return ordered(op, slices.Compare(x[:], y[:]))
	}}
}

func (m maker) percent() made {
	part := uint64(oneOf(m, 0, 100, 12_345, 25_000, 50_000, 99_999, 100_000))
	by, seed := oneOf(m, "", "", "email", "seats", "targetingKey"), oneOf(m, "", "", "a", "b c")
	text := fmt.Sprintf("percent(%v", float64(part)/1000)
	if by != "" {
		text += ", by: " + by
	}
	if seed != "" {
		text += fmt.Sprintf(", seed: %q", seed)
	}
	return made{text + ")", func(a attributes) bool {
		key := a[cmp.Or(by, "targetingKey")]
		if key == nil || key == "" || key == 0.0 {
			return false
		}
		return uint64(murmur3.StringSum32(flagKey+seed+fmt.Sprint(key)))*100_000>>32 < part
	}}
}

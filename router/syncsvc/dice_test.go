package syncsvc_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// dice makes random flag sets and contexts, out of a seed or of a fuzzer's bytes.
type dice struct {
	roll  func(n int) int
	names []string // of the flag that is being made, as JSON; nil: none yet
}

func seeded(seed uint64) dice {
	r := rand.New(rand.NewPCG(seed, 4))
	return dice{roll: r.IntN}
}

// driven takes two bytes a roll, and rolls 0 once they are used up.
func driven(data []byte) dice {
	return dice{roll: func(n int) int {
		if len(data) < 2 {
			return 0
		}
		v := int(data[0])<<8 | int(data[1])
		data = data[2:]
		return v % n
	}}
}

func (d dice) pick(from ...string) string { return from[d.roll(len(from))] }

// chance is one in n.
func (d dice) chance(n int) bool { return d.roll(n) == n-1 }

func (d dice) list(most int, item func() string) string {
	items := make([]string, 0, most)
	for range d.roll(most + 1) {
		items = append(items, item())
	}
	return strings.Join(items, ",")
}

var (
	variantNames = []string{"on", "off", "true", "false", "1", "2.5", "null", "", `é \"\u0000`}
	entities     = []string{"ada", "bob", "Ada", "世界", `eve "\"`, "x.y"}
	attributes   = []string{"plan", "n", "v", "geo.country", "list", "targetingKey", "list.0", "$flagd.flagKey", ""}
	literals     = []string{`"pro"`, `"on"`, `"off"`, `"null"`, `""`, `"1.2.3"`, `true`, `false`, `null`, `0`, `1`, `2.5`, `-3`, `1e3`, `1.0`, `[]`, `{}`,
		`["ada","bob"]`, `[1,"pro",null]`, `{"a":1,"b":{"$ref":"beta"}}`}
)

// variant is the name of a variant, mostly of one that is there.
func (d dice) variant() string {
	if len(d.names) > 0 && !d.chance(12) {
		return d.pick(d.names...)
	}
	return `"` + d.pick(variantNames...) + `"`
}

// rule is any rule, mostly one that makes sense.
func (d dice) rule(depth int) string {
	if depth <= 0 || d.chance(6) {
		return d.leaf()
	}
	if d.chance(60) {
		return d.pick(`{"nonsense":[]}`, `{"$ref":"none"}`, `{"$ref":"nested"}`, `{"$ref":"torn"}`, `{"$ref":7}`, `{"==":{"$ref":"args"}}`)
	}
	sub := func() string { return d.rule(depth - 1) }
	switch d.roll(16) {
	case 0, 1, 2, 3:
		return fmt.Sprintf(`{"if":[%s,%s,%s]}`, sub(), d.outcome(depth-1), d.outcome(depth-1))
	case 4:
		return fmt.Sprintf(`{"if":[%s]}`, d.list(5, sub))
	case 5, 6:
		return d.split(depth)
	case 7:
		return fmt.Sprintf(`{"sem_ver":[%s,"%s",%s]}`, sub(), d.pick("=", "!=", "<", "<=", ">", ">=", "~", "^", "?"), d.pick(`"1.2.3"`, `"2.0"`, `1`, sub()))
	case 8:
		return fmt.Sprintf(`{"%s":[%s,%s]}`, d.pick("starts_with", "ends_with"), sub(), sub())
	case 9:
		return fmt.Sprintf(`{"in":[%s,%s]}`, sub(), d.pick(`["ada","pro","on",1]`, `"progress"`, `{"$ref":"ids"}`, sub()))
	case 10:
		op := d.pick("map", "filter", "all", "none", "some")
		return fmt.Sprintf(`{"%s":[%s,%s]}`, op, d.pick(`{"var":"list"}`, `[1,2,"a"]`, sub()), sub())
	case 11:
		return fmt.Sprintf(`{"reduce":[{"var":"list"},{"+":[{"var":"current"},{"var":"accumulator"}]},%s]}`, sub())
	case 12:
		return fmt.Sprintf(`{"%s":%s}`, d.pick("!", "!!", "var", "missing", "cat", "merge", "and", "missing_some"), sub())
	default:
		op := d.pick("==", "!=", "===", "!==", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "min", "max", "and", "or", "cat", "merge", "substr", "var", "missing", "?:")
		return fmt.Sprintf(`{"%s":[%s]}`, op, d.list(3, sub))
	}
}

func (d dice) leaf() string {
	switch d.roll(8) {
	case 0, 1, 2:
		return `{"var":"` + d.pick(attributes...) + `"}`
	case 3:
		return `{"$ref":"` + d.pick("beta", "beta", "ids", "ids", "args", "empty") + `"}`
	case 4:
		return d.variant()
	default:
		return d.pick(literals...)
	}
}

// outcome is what a branch answers: most often a variant.
func (d dice) outcome(depth int) string {
	if d.chance(5) {
		return d.rule(depth)
	}
	return d.variant()
}

func (d dice) split(depth int) string {
	by := ""
	if d.chance(3) {
		by = d.pick(`{"cat":[{"var":"$flagd.flagKey"},{"var":"plan"}]}`, `{"var":"n"}`, `null`, `"fixed"`, d.rule(depth-1)) + ","
	}
	entry := func() string {
		return fmt.Sprintf(`[%s%s]`, d.outcome(depth-1), d.pick(`,50`, `,1`, `,0`, ``, `,-1`, `,2147483647`, `,{"var":"n"}`))
	}
	return `{"fractional":[` + by + entry() + "," + entry() + `]}`
}

func (d dice) flag() string {
	var fields []string
	add := func(name, value string) { fields = append(fields, `"`+name+`":`+value) }
	if state := d.pick(`"ENABLED"`, `"ENABLED"`, `"ENABLED"`, `"ENABLED"`, `"ENABLED"`, `"ENABLED"`, ``, ``, `"DISABLED"`, `"MAYBE"`, `7`); state != "" {
		add("state", state)
	}
	d.names = d.variants(add)
	if standard := d.pick(append([]string{`null`, ``}, d.names...)...); d.chance(20) {
		add("defaultVariant", d.pick(d.variant(), `3`))
	} else if standard != "" {
		add("defaultVariant", standard)
	}
	switch d.roll(6) {
	case 0:
	case 1:
		add("targeting", d.pick(`{}`, `null`, `[]`, `"on"`, `true`, `{"$ref":"empty"}`, `{"$ref":"beta"}`))
	default:
		add("targeting", d.pick(`{"if":[`+d.rule(2)+`,`+d.outcome(3)+`,`+d.outcome(2)+`]}`, d.split(3), d.rule(d.roll(5))))
	}
	if d.chance(4) {
		add("metadata", d.pick(`{"team":"a"}`, `{"deep":{"x":1},"n":1.50}`, `{}`, `7`))
	}
	if d.chance(4) {
		add(d.pick("description", "x-overrides", "source", "x-note"), d.pick(`"text"`, `{"ada":"on"}`, `7`))
	}
	return "{" + strings.Join(fields, ",") + "}"
}

func (d dice) variants(add func(name, value string)) (names []string) {
	if d.chance(20) {
		if broken := d.pick(``, `{}`, `[]`, `null`); broken != "" {
			add("variants", broken)
		}
		return nil
	}
	kinds := [][]string{
		{`true`, `false`}, {`"red"`, `""`, `"é\u0000"`}, {`1`, `2.50`, `-0`, `1e300`, `9007199254740993`},
		{`{}`, `{"a":[1,{"b":null}]}`}, {`[1]`, `null`, `true`, `"x"`},
	}
	values := kinds[d.roll(len(kinds))]
	seen := map[string]bool{}
	var members []string
	for range 1 + d.roll(4) {
		name := d.variant()
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
			members = append(members, name+":"+d.pick(values...))
		}
	}
	add("variants", "{"+strings.Join(members, ",")+"}")
	return names
}

// context is an evaluation context as JSON.
func (d dice) context() string {
	var fields []string
	if key := d.pick(`"ada"`, `"bob"`, `"世界"`, `"eve \"\\\""`, `""`, `7`, `null`, `["ada"]`, ``); key != "" {
		fields = append(fields, `"targetingKey":`+key)
	}
	for _, name := range []string{"plan", "n", "v", "geo", "list"} {
		if !d.chance(3) {
			fields = append(fields, `"`+name+`":`+d.pick(`"pro"`, `"on"`, `"1.2.3"`, `1`, `2.5`, `-3`, `true`, `null`, `[1,2,3]`, `["pro","a"]`, `{"country":"NZ"}`, `"x"`))
		}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

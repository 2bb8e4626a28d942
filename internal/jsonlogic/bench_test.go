package jsonlogic_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
	"github.com/twmb/murmur3"
)

// user is the floor that rules are measured against: the same data in a Go struct, the same rule in Go.
type user struct {
	key, country, plan, version, email string
	ids                                map[string]struct{}
}

// values of the struct are read through the pointer, so that the compiler cannot fold the rules away.
//
//go:noinline
func (u *user) rule(shape int) string {
	switch shape {
	case 0:
		if u.plan == "pro" {
			return "on"
		}
	case 1:
		switch {
		case u.plan == "a0", u.plan == "a1", u.plan == "a2", u.plan == "a3", u.plan == "a4":
			return "no"
		case u.country == "b5", u.country == "b6", u.country == "b7", u.country == "b8":
			return "no"
		case u.plan == "pro":
			return "on"
		}
	case 2:
		h := murmur3.Sum32([]byte(u.key))
		if uint64(h)*100>>32 < 50 {
			return "on"
		}
	case 3:
		if _, ok := u.ids[u.key]; ok {
			return "on"
		}
	case 4:
		if u.plan == "pro" && u.country == "NZ" && strings.HasSuffix(u.email, "@example.com") {
			return "on"
		}
	}
	return "off"
}

func manyIDs(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("tenant-%d", i))
	}
	return list
}

var benchUser = jsonlogic.NewAttributes(
	attr("targetingKey", "tenant-742"), attr("country", "NZ"), attr("plan", "pro"),
	attr("version", "2.4.1"), attr("email", "ann@example.com"),
)

func attr(name, value string) jsonlogic.Attribute {
	return jsonlogic.Attribute{Name: jsonlogic.Intern(name), Value: jsonlogic.String(value)}
}

func tenRules() string {
	var b strings.Builder
	b.WriteString(`{"if":[`)
	for i := range 9 {
		name, prefix := "plan", "a"
		if i > 4 {
			name, prefix = "country", "b"
		}
		fmt.Fprintf(&b, `{"==":[{"var":"%s"},"%s%d"]},"no",`, name, prefix, i)
	}
	return b.String() + `{"==":[{"var":"plan"},"pro"]},"on","off"]}`
}

func BenchmarkEval(b *testing.B) {
	ids := manyIDs(1000)
	floor := &user{key: "tenant-742", country: "NZ", plan: "pro", version: "2.4.1", email: "ann@example.com", ids: map[string]struct{}{}}
	for _, id := range ids {
		floor.ids[id] = struct{}{}
	}
	shapes := []struct {
		name, rule string
		floor      int
	}{
		{"one rule", `{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`, 0},
		{"ten rules", tenRules(), 1},
		{"half", `{"fractional":[{"var":"targetingKey"},["on",50],["off",50]]}`, 2},
		{"half by flag", `{"fractional":[["on",50],["off",50]]}`, 2},
		{"half by cat", `{"fractional":[{"cat":[{"var":"$flagd.flagKey"},{"var":"email"}]},["on",50],["off",50]]}`, 2},
		{"1000 ids", `{"if":[{"in":[{"var":"targetingKey"},["` + strings.Join(ids, `","`) + `"]]},"on","off"]}`, 3},
		{"and of three", `{"if":[{"and":[{"==":[{"var":"plan"},"pro"]},{"==":[{"var":"country"},"NZ"]},
			{"ends_with":[{"var":"email"},"@example.com"]}]},"on","off"]}`, 4},
		{"sem_ver", `{"if":[{"sem_ver":[{"var":"version"},">=","2.1.0"]},"on","off"]}`, -1},
		{"between", `{"<":[1,{"var":"seats"},10]}`, -1},
		{"some", `{"some":[["a","b","c"],{"==":[{"var":""},{"var":"plan"}]}]}`, -1},
	}
	for _, s := range shapes {
		p := mustCompile(b, s.rule, jsonlogic.Options{FlagKey: "new-checkout"})
		b.Run(s.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Eval(benchUser, jsonlogic.Env{}); err != nil {
					b.Fatal(err)
				}
			}
		})
		if s.floor >= 0 {
			b.Run(s.name+"/floor", func(b *testing.B) {
				for b.Loop() {
					sinkString = floor.rule(s.floor)
				}
			})
		}
	}
}

var sinkString string

func mustCompile(tb testing.TB, rule string, opts jsonlogic.Options) *jsonlogic.Program {
	tb.Helper()
	v, err := jsonlogic.ParseJSON([]byte(rule))
	if err != nil {
		tb.Fatalf("rule %s: %v", rule, err)
	}
	p, err := jsonlogic.Compile(v, opts)
	if err != nil {
		tb.Fatalf("rule %s: %v", rule, err)
	}
	return p
}

func BenchmarkParse10000Flags(b *testing.B) {
	var doc strings.Builder
	doc.WriteString(`{"flags":{`)
	for i := range 10000 {
		if i > 0 {
			doc.WriteByte(',')
		}
		fmt.Fprintf(&doc, `"flag-%05d":{"defaultVariant":"off","description":"a flag of the set","state":"ENABLED","targeting":{"if":[{"==":[{"var":"plan"},"pro"]},"on",{"fractional":[["on",25],["off",75]]}]},"variants":{"off":false,"on":true}}`, i)
	}
	doc.WriteString(`}}`)
	text := []byte(doc.String())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		v, err := jsonlogic.ParseJSON(text)
		if err != nil {
			b.Fatal(err)
		}
		flags, _ := v.Get("flags")
		for key, flag := range flags.Members() {
			targeting, _ := flag.Get("targeting")
			if _, err := jsonlogic.Compile(targeting, jsonlogic.Options{FlagKey: key}); err != nil {
				b.Fatal(err)
			}
		}
	}
}

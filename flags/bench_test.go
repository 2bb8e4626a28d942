package flags

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// The floor of each benchmark is the least code that gives the answer: an atomic
// pointer load, a lookup in a Go map of as many flags, the same rule as plain Go on
// a user held in a struct. Figures mean something only beside the floor of the same run.

const benchFlags = 10_000

type floorUser struct{ key, plan, country, version string }

type floorFlag struct {
	rules   []floorRule
	ids     map[string]struct{}
	share   uint32
	on, off bool
	text    string
	object  Value
	entity  map[string]bool
}

type floorRule struct {
	field int
	want  string
}

func (u *floorUser) get(field int) string {
	switch field {
	case 0:
		return u.key
	case 1:
		return u.plan
	case 2:
		return u.country
	default:
		return u.version
	}
}

type benchWorld struct {
	state atomic.Pointer[published]
	floor atomic.Pointer[map[string]*floorFlag]
	user  *floorUser
	ec    EvaluationContext
}

func tenRules(format string) string {
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

func thousandIDs() (list []string, set map[string]struct{}) {
	set = map[string]struct{}{}
	for i := range 1000 {
		id := fmt.Sprintf("tenant-%04d", i)
		list, set[id] = append(list, `"`+id+`"`), struct{}{}
	}
	return list, set
}

func newBenchWorld(tb testing.TB) *benchWorld {
	ids, idSet := thousandIDs()
	floor := map[string]*floorFlag{
		"static":     {on: true},
		"one-rule":   {rules: []floorRule{{1, strings.Clone("pro")}}, on: true},
		"ten-rules":  {on: true},
		"fractional": {share: 1 << 31, on: true},
		"in-1000":    {ids: idSet, on: true},
		"override":   {entity: map[string]bool{}, on: true},
		"string":     {text: "blue"},
		"object":     {},
	}
	for i := range 10 {
		floor["ten-rules"].rules = append(floor["ten-rules"].rules, floorRule{2, fmt.Sprintf("C%d", i)})
	}
	boolean := func(targeting string) string {
		return `{"defaultVariant":"off","targeting":` + targeting + `,"variants":{"off":false,"on":true}}`
	}
	texts := map[EntryKey]string{
		FlagKey("static"):     `{"defaultVariant":"on","variants":{"off":false,"on":true}}`,
		FlagKey("one-rule"):   boolean(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`),
		FlagKey("ten-rules"):  boolean(`{"if":[` + tenRules(`{"==":[{"var":"country"},"C%d"]},"on",`) + `"off"]}`),
		FlagKey("fractional"): boolean(`{"fractional":[{"var":"targetingKey"},["on",50],["off",50]]}`),
		FlagKey("in-1000"):    boolean(`{"if":[{"in":[{"var":"targetingKey"},[` + strings.Join(ids, ",") + `]]},"on","off"]}`),
		FlagKey("override"):   boolean(`null`),
		FlagKey("string"):     `{"defaultVariant":"b","variants":{"a":"red","b":"blue"}}`,
		FlagKey("object"):     `{"defaultVariant":"b","variants":{"a":{},"b":{"size":12}}}`,
	}
	for i := range 1000 {
		id := fmt.Sprintf("tenant-%04d", i)
		texts[OverrideKey("override", id)] = `{"variant":"on"}`
		floor["override"].entity[id] = true
	}
	for i := len(floor); i < benchFlags; i++ {
		key := fmt.Sprintf("service-%d.feature-%d", i%40, i)
		texts[FlagKey(key)] = boolean(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`)
		floor[key] = &floorFlag{}
	}
	c := NewContents("bench")
	commit := Commit{Op: OpCreate, ID: NewCommitID()}
	for key, text := range texts {
		commit.Changes = append(commit.Changes, Mutation{key, []byte(text)})
	}
	if err := c.Seal(&commit); err != nil {
		tb.Fatal(err)
	}
	if err := c.Apply(&commit); err != nil {
		tb.Fatal(err)
	}
	w := &benchWorld{
		user: &floorUser{key: "tenant-0999", plan: "pro", country: "C9", version: "1.2.3"},
		ec:   Entity("tenant-0999", String("plan", "pro"), String("country", "C9"), String("version", "1.2.3")),
	}
	w.state.Store(&published{snap: NewSnapshot(c.Checkpoint()), asOf: time.Now()})
	w.floor.Store(&floor)
	floor["object"].object, _ = ParseValue([]byte(`{"size":12}`))
	return w
}

//go:noinline
func (w *benchWorld) find(key string) *floorFlag { return (*w.floor.Load())[key] }

func (f *floorFlag) match(u *floorUser) bool {
	for i := range f.rules {
		if r := &f.rules[i]; u.get(r.field) == r.want {
			return f.on
		}
	}
	return f.off
}

var (
	sinkBool   bool
	sinkString string
	sinkValue  Value
	sinkAny    any
)

func BenchmarkRead(b *testing.B) {
	w := newBenchWorld(b)
	view := func() View { return View{w.state.Load()} }
	pair := func(key string, floor func(*floorFlag) bool) {
		h := newHandle(&w.state, key)
		b.Run(key+"/floor", func(b *testing.B) {
			for b.Loop() {
				sinkBool = floor(w.find(key))
			}
		})
		b.Run(key+"/view", func(b *testing.B) {
			for b.Loop() {
				sinkBool = view().Bool(key, w.ec, false)
			}
		})
		b.Run(key+"/details", func(b *testing.B) {
			for b.Loop() {
				d := view().BoolDetails(key, w.ec, false)
				sinkBool = d.Value
			}
		})
		b.Run(key+"/handle", func(b *testing.B) {
			for b.Loop() {
				sinkBool = h.Bool(w.ec, false)
			}
		})
	}
	pair("static", func(f *floorFlag) bool { return f.on })
	pair("one-rule", func(f *floorFlag) bool { return f.match(w.user) })
	pair("ten-rules", func(f *floorFlag) bool { return f.match(w.user) })
	pair("fractional", func(f *floorFlag) bool {
		if floorMurmur(w.user.key) < f.share {
			return f.on
		}
		return f.off
	})
	pair("in-1000", func(f *floorFlag) bool {
		if _, ok := f.ids[w.user.key]; ok {
			return f.on
		}
		return f.off
	})
	pair("override", func(f *floorFlag) bool { return f.entity[w.user.key] })
	b.Run("string/floor", func(b *testing.B) {
		for b.Loop() {
			sinkString = w.find("string").text
		}
	})
	b.Run("string/view", func(b *testing.B) {
		for b.Loop() {
			sinkString = view().String("string", w.ec, "")
		}
	})
	b.Run("object/floor", func(b *testing.B) {
		for b.Loop() {
			sinkValue = w.find("object").object
		}
	})
	b.Run("object/view", func(b *testing.B) {
		for b.Loop() {
			sinkValue = view().Object("object", w.ec, Value{})
		}
	})
}

// floorMurmur is MurmurHash3 x86 32 with seed 0.
func floorMurmur(s string) uint32 {
	var h uint32
	n := uint32(len(s))
	for len(s) >= 4 {
		k := binary.LittleEndian.Uint32([]byte(s[:4]))
		k = bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
		h = bits.RotateLeft32(h^k, 13)*5 + 0xe6546b64
		s = s[4:]
	}
	var k uint32
	for i := len(s) - 1; i >= 0; i-- {
		k = k<<8 | uint32(s[i])
	}
	if len(s) > 0 {
		h ^= bits.RotateLeft32(k*0xcc9e2d51, 15) * 0x1b873593
	}
	h ^= n
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

// BenchmarkDemand is what a request costs that demands a version which is held: the
// context once, and for each read the look at it. The floor is context.WithValue and a read that looks one key up.
func BenchmarkDemand(b *testing.B) {
	w := newBenchWorld(b)
	c := &Client{opts: Options{Set: "bench"}}
	c.current.Store(w.state.Load())
	type key struct{}
	ctx, token := context.Background(), c.Token(context.Background())
	b.Run("context/floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkAny = context.WithValue(ctx, key{}, w)
		}
	})
	b.Run("context/at-least", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			sinkAny = AtLeast(ctx, token)
		}
	})
	valued := context.WithValue(ctx, key{}, w)
	session := WithSession(ctx)
	c.View(session)
	b.Run("read/floor", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			found, _ := valued.Value(key{}).(*benchWorld)
			sinkBool = found.find("static").on
		}
	})
	for name, ctx := range map[string]context.Context{
		"plain": ctx, "at-least": AtLeast(ctx, token), "pinned": c.Pin(ctx), "session": session, "bounded": MaxStaleness(ctx, time.Hour),
	} {
		b.Run("read/"+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sinkBool = c.Bool(ctx, "static", w.ec, false)
			}
		})
	}
}

package evaluator_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// store is a store that can be out of reach for questions and new streams.
type store struct {
	*memstore.Store
	down atomic.Bool
}

var errDown = &flags.SourceError{Class: flags.ClassTransient, Op: "test", Err: errors.New("unplugged")}

func (s *store) Head(ctx context.Context, set string) (flags.Head, error) {
	if s.down.Load() {
		return flags.Head{}, errDown
	}
	return s.Store.Head(ctx, set)
}

// Watch gives streams without heartbeats while the store is down.
func (s *store) Watch(ctx context.Context, set string, have flags.Head) (flags.Stream, error) {
	if s.down.Load() {
		return nil, errDown
	}
	stream, err := s.Store.Watch(ctx, set, have)
	return &cuttable{stream, s}, err
}

type cuttable struct {
	flags.Stream
	of *store
}

func (c *cuttable) Next() (flags.Event, error) {
	ev, err := c.Stream.Next()
	if c.of.down.Load() {
		return flags.Event{}, errDown
	}
	return ev, err
}

type rig struct {
	*evaluator.Evaluator
	store *store
	t     *testing.T
}

func run(t *testing.T, opts evaluator.Options, test func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &rig{store: &store{Store: memstore.New(nil)}, t: t}
		opts.Hub = hub.New(r.store, nil)
		r.Evaluator = evaluator.New(opts)
		for _, name := range []string{"default", "shop"} {
			r.apply(flags.Commit{Set: name, Op: flags.OpCreate})
		}
		test(r)
		r.Close()
		r.Close()
		opts.Hub.Close()
		_ = r.store.Close()
	})
}

func (r *rig) apply(c flags.Commit) flags.Head {
	r.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := r.store.Apply(r.t.Context(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head()
}

func (r *rig) put(set, key, def string) flags.Head {
	r.t.Helper()
	d, err := flags.ParseDefinition([]byte(def))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey(key), Bytes: d.Bytes()}}})
}

func (r *rig) begin(header http.Header) evaluator.Call {
	r.t.Helper()
	c, err := r.Begin(r.t.Context(), header, authz.Evaluate, "")
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func TestSelectors(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		for _, c := range []struct {
			header, body string
			set          string
			selector     evaluator.Selector
			err          string
		}{
			{"", "", "default", evaluator.Selector{}, ""},
			{"shop", "", "shop", evaluator.Selector{Key: "source", Value: "shop"}, ""},
			{"source=shop", "", "shop", evaluator.Selector{Key: "source", Value: "shop"}, ""},
			{"flagSetId=shop", "", "shop", evaluator.Selector{Key: "flagSetId", Value: "shop"}, ""},
			{" flagSetId = shop ", "", "shop", evaluator.Selector{Key: "flagSetId", Value: "shop"}, ""},
			{"flagSetId=", "", "default", evaluator.Selector{Key: "flagSetId"}, ""},
			{"", "shop", "shop", evaluator.Selector{Key: "source", Value: "shop"}, ""},
			{"default", "shop", "default", evaluator.Selector{Key: "source", Value: "default"}, ""},
			{" ", "", "default", evaluator.Selector{}, ""},
			{"x=shop", "", "", evaluator.Selector{}, `invalid selector key "x", valid keys: "flagSetId", "source"`},
			{"flagsetid=shop", "", "", evaluator.Selector{}, `invalid selector key "flagsetid", valid keys: "flagSetId", "source"`},
			{"none", "", "", evaluator.Selector{}, `evaluate: there is no flag set "none"`},
			{"rawflags/flags.json", "", "", evaluator.Selector{}, `evaluate: there is no flag set "rawflags/flags.json"`},
		} {
			header := http.Header{}
			if c.header != "" {
				header.Set("flagd-selector", c.header)
			}
			call, err := r.Begin(r.t.Context(), header, authz.Evaluate, c.body)
			if c.err != "" {
				if err == nil || err.Error() != c.err {
					t.Errorf("%q: error %v, want %s", c.header, err, c.err)
				}
				continue
			}
			if err != nil || call.Set != c.set || call.Selector != c.selector || call.View.Token().Set != c.set {
				t.Errorf("%q and %q: set %q by %+v from %s, error %v", c.header, c.body, call.Set, call.Selector, call.View.Token(), err)
			}
		}
		var unknown *evaluator.SelectorError
		if _, err := evaluator.ParseSelector("x=y"); !errors.As(err, &unknown) || unknown.Key != "x" {
			t.Errorf("an unknown key is a %T", err)
		}
		if _, err := r.Begin(r.t.Context(), nil, authz.Evaluate, "none"); flags.ClassOf(err) != flags.ClassNotFound {
			t.Errorf("a set that is not there: %v", err)
		}
	})
}

// TestDeleted: a set that was deleted is like one that never was, whether it was held or
// not; one created again is there again.
func TestDeleted(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		r.apply(flags.Commit{Set: "unasked", Op: flags.OpCreate})
		for _, set := range []string{"shop", "unasked"} {
			header := http.Header{evaluator.SelectorHeader: {set}}
			if set == "shop" {
				r.begin(header)
			}
			header.Set(evaluator.RevisionHeader, r.apply(flags.Commit{Set: set, Op: flags.OpDelete}).Token().String())
			if _, err := r.Begin(r.t.Context(), header, authz.Evaluate, ""); flags.ClassOf(err) != flags.ClassNotFound {
				t.Errorf("%s was deleted: %v", set, err)
			}
			header.Set(evaluator.RevisionHeader, r.apply(flags.Commit{Set: set, Op: flags.OpCreate}).Token().String())
			if call := r.begin(header); call.View.Freshness() != flags.FreshnessFresh {
				t.Errorf("%s was created again: %s", set, call.View.Freshness())
			}
		}
	})
}

// picky lets one key evaluate one set.
type picky struct{ authz.Open }

func (picky) Decide(p authz.Principal, a authz.Action, set string) error {
	if p.Kind == "key" && a == authz.Evaluate && set == "shop" {
		return nil
	}
	return fmt.Errorf("%w: %s may not %s %s", authz.ErrDenied, p, a, set)
}

// strangers has somebody ask for sets that are not theirs, and returns how many of them
// they got.
func strangers(t *testing.T, opts evaluator.Options) (got int) {
	t.Helper()
	run(t, opts, func(r *rig) {
		for _, header := range []http.Header{
			{}, {evaluator.SelectorHeader: {"flagSetId=shop"}},
			{"Authorization": {"Bearer k"}}, {"Authorization": {"Bearer k"}, evaluator.SelectorHeader: {"default"}},
		} {
			for _, selector := range []string{"", "source=default"} {
				if call, err := r.Begin(r.t.Context(), header, authz.Evaluate, selector); err == nil && call.View.Snapshot() != nil {
					got++
				}
			}
		}
	})
	return got
}

// TestScope: whatever is asked in whatever way, nobody gets a set that is not theirs.
func TestScope(t *testing.T) {
	if got := strangers(t, evaluator.Options{Policy: picky{}}); got != 0 {
		t.Errorf("%d sets went to strangers", got)
	}
}

// TestNoScope is its twin.
func TestNoScope(t *testing.T) {
	if got := strangers(t, evaluator.Options{Policy: picky{}}.Unscoped()); got == 0 {
		t.Error("without the guard nothing went to strangers")
	}
}

func TestAsksThePolicy(t *testing.T) {
	run(t, evaluator.Options{Policy: picky{}}, func(r *rig) {
		for _, c := range []struct {
			authorization, set string
			want               error
		}{
			{"Bearer k", "shop", nil},
			{"Bearer k", "default", authz.ErrDenied},
			{"", "shop", authz.ErrDenied},
			{"Basic", "shop", authz.ErrUnauthenticated},
			{"Bearer k", "none", authz.ErrDenied}, // what is not there is no secret let out either
		} {
			_, err := r.Begin(r.t.Context(), http.Header{"Authorization": {c.authorization}}, authz.Evaluate, c.set)
			if !errors.Is(err, c.want) {
				t.Errorf("%q for %s: %v, want %v", c.authorization, c.set, err, c.want)
			}
		}
	})
}

// TestHonoursTokens: whoever brings the token of a write sees the write, and is told
// where nobody can show it to him.
func TestHonoursTokens(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		for i := range 5 {
			head := r.put("default", "n", fmt.Sprintf(`{"defaultVariant":"v","variants":{"v":%d}}`, i))
			call := r.begin(http.Header{evaluator.RevisionHeader: {"shop@0.99, " + head.Token().String()}})
			got := call.View.Int("n", flags.EvaluationContext{}, -1)
			if got != int64(i) || call.Revision != head.Token().String() || call.View.Freshness() != flags.FreshnessFresh {
				t.Fatalf("after the write of %d at %s: %d from %s, %s", i, head.Token(), got, call.Revision, call.View.Freshness())
			}
		}
		call := r.begin(http.Header{evaluator.RevisionHeader: {"default@0.999"}})
		if call.View.Freshness() != flags.FreshnessNotFresh || call.View.Int("n", flags.EvaluationContext{}, -1) != 4 {
			t.Errorf("a token from nowhere: %s", call.View.Freshness())
		}
		for _, bad := range []string{"default", "default@0.1~no", strings.Repeat("default@0.1,", 17), "default@0.1" + strings.Repeat(" ", 5000)} {
			if _, err := r.Begin(r.t.Context(), http.Header{evaluator.RevisionHeader: {bad}}, authz.Evaluate, ""); !errors.Is(err, flags.ErrInvalid) {
				t.Errorf("%.30q: %v", bad, err)
			}
		}
	})
}

type scope map[string]flags.Value

func (s scope) Attribute(name string) (flags.Value, bool) { v, ok := s[name]; return v, ok }

func (s scope) Value() flags.Value {
	attrs := []flags.Attr{}
	for name, v := range s {
		attrs = append(attrs, flags.ValueAttr(name, v))
	}
	return flags.Context(attrs...).Value()
}

func TestContext(t *testing.T) {
	text := flags.StringValue
	own := scope{"a": text("own"), "b": text("own"), "c": text("own"), "targetingKey": text("me")}
	header := http.Header{"X-C": {"header", "second"}, "X-D": {"header"}}
	for _, c := range []struct {
		name   string
		opts   evaluator.Options
		own    flags.Scope
		header http.Header
		want   string
	}{
		{"nothing", evaluator.Options{}, nil, header, `{}`},
		{"its own", evaluator.Options{}, own, header, `{"a":"own","b":"own","c":"own","targetingKey":"me"}`},
		{"static", evaluator.Options{Context: own}, nil, nil, `{"a":"own","b":"own","c":"own","targetingKey":"me"}`},
		{"static over its own", evaluator.Options{Context: scope{"b": text("static")}}, own, header, `{"a":"own","b":"static","c":"own","targetingKey":"me"}`},
		{"headers over all", evaluator.Options{
			Context:       scope{"b": text("static"), "c": text("static")},
			HeaderContext: map[string]string{"x-c": "c", "X-D": "targetingKey", "x-none": "a"},
		}, own, header, `{"a":"own","b":"static","c":"header","targetingKey":"header"}`},
		{"headers alone", evaluator.Options{HeaderContext: map[string]string{"x-c": "c"}}, nil, header, `{"c":"header"}`},
		{"headers that are not there", evaluator.Options{HeaderContext: map[string]string{"x-c": "c"}}, nil, nil, `{}`},
	} {
		e := evaluator.New(c.opts)
		got := e.Context(c.own, c.header)
		if got.Value().String() != c.want {
			t.Errorf("%s: %s, want %s", c.name, got.Value(), c.want)
		}
		for name, want := range got.Value().Members() {
			if v, ok := got.Attribute(name); !ok || !v.Equal(want) {
				t.Errorf("%s: attribute %s is %s, want %s", c.name, name, v, want)
			}
		}
		if key, _ := got.Attribute("targetingKey"); key.Str() != got.TargetingKey() {
			t.Errorf("%s: targeting key %q", c.name, got.TargetingKey())
		}
		if static := e.StaticContext(); static != nil {
			clear(static)
			if len(e.StaticContext()) == 0 {
				t.Errorf("%s: the static context can be changed from outside", c.name)
			}
		}
	}
}

func TestMetadata(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{
			{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "team"}, Bytes: []byte(`"set"`)},
			{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "n"}, Bytes: []byte(`1.5`)},
		}})
		head := r.put("shop", "f", `{"defaultVariant":"v","variants":{"v":true},"metadata":{"team":"flag","holdfastRevision":"mine"}}`)
		header := http.Header{evaluator.SelectorHeader: {"flagSetId=shop"}}
		expect := func(when, flag, whole string) {
			t.Helper()
			call := r.begin(header)
			d := call.View.BoolDetails("f", flags.EvaluationContext{}, false)
			revision := `"holdfastRevision":"` + head.Token().String() + `"`
			for got, want := range map[string]string{
				evaluator.Metadata(&call, &d).String(): strings.Replace(flag, "R", revision, 1),
				call.Metadata().String():               strings.Replace(whole, "R", revision, 1),
			} {
				if got != want {
					t.Errorf("%s: %s, want %s", when, got, want)
				}
			}
			if d.Reason != flags.ReasonStatic {
				t.Errorf("%s: reason %s", when, d.Reason)
			}
		}
		expect("fresh", `{R,"n":1.5,"team":"flag"}`, `{"flagSetId":"shop",R,"n":1.5,"team":"set"}`)
		r.store.down.Store(true)
		time.Sleep(2 * time.Minute)
		expect("without the store", `{"freshness":"stale",R,"n":1.5,"team":"flag"}`, `{"flagSetId":"shop","freshness":"stale",R,"n":1.5,"team":"set"}`)
		r.store.down.Store(false)
		time.Sleep(time.Minute)
		header.Set(evaluator.RevisionHeader, "shop@7.1")
		expect("behind its token", `{"freshness":"not fresh",R,"n":1.5,"team":"flag"}`, `{"flagSetId":"shop","freshness":"not fresh",R,"n":1.5,"team":"set"}`)
	})
}

func TestMemo(t *testing.T) {
	var m evaluator.Memo[int]
	for i := range 20_000 { // more than it holds
		m.Put("r1", fmt.Sprint("k", i), flags.FreshnessFresh, i)
	}
	held := 0
	for i := range 20_000 {
		if v, ok := m.Get("r1", fmt.Sprint("k", i), flags.FreshnessFresh); ok {
			held++
			if v != i {
				t.Fatalf("k%d is %d", i, v)
			}
		}
	}
	if held < 1000 || held > 4096 {
		t.Errorf("it holds %d of 20,000", held)
	}
	m.Put("r1", "k", flags.FreshnessFresh, 1)
	for _, other := range []struct {
		revision, key string
		f             flags.Freshness
	}{{"r2", "k", flags.FreshnessFresh}, {"r1", "q", flags.FreshnessFresh}, {"r1", "k", flags.FreshnessStale}} {
		if v, ok := m.Get(other.revision, other.key, other.f); ok {
			t.Errorf("%+v is %d", other, v)
		}
	}
}

// TestCloses: after Close nobody is held any more; whoever is held goes on answering.
func TestCloses(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		r.begin(nil)
		r.Close()
		if _, err := r.Begin(r.t.Context(), nil, authz.Evaluate, "shop"); flags.ClassOf(err) != flags.ClassTransient {
			t.Errorf("a new set: %v", err)
		}
		r.begin(nil)
	})
}

// TestCosts: a request about a set that is held costs no memory until it is answered.
func TestCosts(t *testing.T) {
	run(t, evaluator.Options{}, func(r *rig) {
		header := http.Header{"Flagd-Selector": {"flagSetId=shop"}}
		r.begin(header)
		if n := testing.AllocsPerRun(100, func() { r.begin(header) }); n > 0 {
			t.Errorf("a call costs %v allocations", n)
		}
	})
}

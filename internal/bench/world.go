package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

const flagCount = 10_000

// world is one set of flags, held both ways, with one user who reads them.
type world struct {
	store  *memstore.Store
	client *flags.Client
	floor  floorClient
	user   *floorUser
	ec     flags.EvaluationContext
}

func onOff(targeting string) string {
	return `{"defaultVariant":"off","state":"ENABLED","targeting":` + targeting + `,"variants":{"off":false,"on":true}}`
}

func plainRule(field int, attribute, want string) (floorRule, string) {
	// A copy: rules never share memory with what requests say, which would make
	// comparing them free.
	return floorRule{field, strings.Clone(want), true}, fmt.Sprintf(`{"==":[{"var":%q},%q]},"on"`, attribute, want)
}

// definitions returns the measured flags, in both forms.
func definitions() (map[flags.EntryKey]string, map[string]*floorFlag) {
	one, oneText := plainRule(1, "plan", "pro")
	ten, tenText := make([]floorRule, 10), make([]string, 10)
	ids, idText := map[string]struct{}{}, make([]string, 1000)
	overrides := map[string]bool{}
	for i := range ten {
		ten[i], tenText[i] = plainRule(2, "country", fmt.Sprintf("C%d", i))
	}
	texts := map[flags.EntryKey]string{}
	for i := range idText {
		id := fmt.Sprintf("tenant-%04d", i)
		ids[id], overrides[id], idText[i] = struct{}{}, true, `"`+id+`"`
		texts[flags.OverrideKey("override", id)] = `{"variant":"on"}`
	}
	object, _ := flags.ParseValue([]byte(`{"size":12}`)) // a literal: it parses
	for key, text := range map[string]string{
		"static":     `{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`,
		"one-rule":   onOff(`{"if":[` + oneText + `,"off"]}`),
		"ten-rules":  onOff(`{"if":[` + strings.Join(tenText, ",") + `,"off"]}`),
		"fractional": onOff(`{"fractional":[{"var":"targetingKey"},["on",50],["off",50]]}`),
		"in-1000":    onOff(`{"if":[{"in":[{"var":"targetingKey"},[` + strings.Join(idText, ",") + `]]},"on","off"]}`),
		"override":   onOff(`{}`),
		"string":     `{"defaultVariant":"b","state":"ENABLED","variants":{"a":"red","b":"blue"}}`,
		"integer":    `{"defaultVariant":"b","state":"ENABLED","variants":{"a":0,"b":12}}`,
		"object":     `{"defaultVariant":"b","state":"ENABLED","variants":{"a":{},"b":{"size":12}}}`,
	} {
		texts[flags.FlagKey(key)] = text
	}
	return texts, map[string]*floorFlag{
		"static": {value: true}, "one-rule": {rules: []floorRule{one}}, "ten-rules": {rules: ten}, "fractional": {bound: 1 << 31},
		"in-1000": {ids: ids}, "override": {overrides: overrides}, "string": {text: "blue"}, "integer": {number: 12}, "object": {object: object},
	}
}

// fill adds flags that nobody reads until there are n.
func fill(texts map[flags.EntryKey]string, floor map[string]*floorFlag, n int) {
	for i := len(floor); i < n; i++ {
		key := fmt.Sprintf("service-%d.feature-%d", i%40, i)
		texts[flags.FlagKey(key)] = onOff(fmt.Sprintf(`{"if":[{"in":[{"var":"country"},["NZ","AU"]]},"on",{"fractional":[["on",%d],["off",%d]]}]}`, i%100, 100-i%100))
		floor[key] = &floorFlag{}
	}
}

func commitOf(texts map[flags.EntryKey]string) flags.Commit {
	c := flags.Commit{Set: "bench", ID: flags.NewCommitID(), Op: flags.OpCreate}
	for _, key := range slices.SortedFunc(maps.Keys(texts), flags.EntryKey.Compare) {
		c.Changes = append(c.Changes, flags.Mutation{Key: key, Bytes: []byte(texts[key])})
	}
	return c
}

func newWorld(ctx context.Context) (*world, error) {
	texts, floor := definitions()
	fill(texts, floor, flagCount)
	w := &world{
		store: memstore.New(nil),
		user:  &floorUser{key: "tenant-0999", plan: "pro", country: "C9", version: "1.2.3"},
		ec: flags.Entity("tenant-0999", flags.String("plan", "pro"), flags.String("country", "C9"),
			flags.String("version", "1.2.3")),
	}
	w.floor.current.Store(&floorSet{floor})
	if _, err := w.store.Apply(ctx, commitOf(texts)); err != nil {
		return nil, err
	}
	client, err := flags.New(ctx, flags.Options{Set: "bench", Primary: flags.Layer{Source: w.store, Watcher: w.store}})
	if err != nil {
		return nil, err
	}
	w.client = client
	return w, client.WaitReady(ctx)
}

func (w *world) close() {
	_ = w.client.Close() // the process ends
	_ = w.store.Close()
}

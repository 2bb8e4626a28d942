package flags

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// builder makes a snapshot out of another one and changes. Nothing that the other
// one can see is written to. What depends on several entries is compiled at the
// end, when all changes are in.
type builder struct {
	snap       *Snapshot
	edit       *edit
	nodes      []*flagNode // the builder's own
	evaluators map[string]bool
	metadata   bool
}

// newBuilder begins from s; size is how many entries are expected where s is empty.
func newBuilder(s *Snapshot, size int) *builder {
	snap := &Snapshot{
		flags: s.flags.clone(), evaluators: s.evaluators.clone(),
		metadata: slices.Clone(s.metadata), maxAges: slices.Clone(s.maxAges), compiled: s.compiled,
	}
	if s.flags.count == 0 {
		snap.flags = sizedTable[*flagNode](size)
	}
	return &builder{snap: snap, edit: new(edit), evaluators: map[string]bool{}}
}

// set puts an entry or, where data is nil, removes it.
func (b *builder) set(key EntryKey, data []byte, revision uint64) {
	switch key.Kind {
	case KindFlag:
		n := b.node(key.Name)
		n.bytes, n.revision, n.stale = data, revision, true
		b.tidy(n)
	case KindOverride:
		n := b.node(key.Name)
		n.overrides = n.overrides.own(b.edit)
		n.overrides.set(b.edit, key.Entity, data, revision)
		if n.overrides.rows.count == 0 {
			n.overrides = nil
		}
		b.tidy(n)
	case KindEvaluator:
		b.setEvaluator(key.Name, data, revision)
	default:
		b.setMetadata(key, data, revision)
	}
}

// node returns the node of a flag as one that may be changed.
func (b *builder) node(key string) *flagNode {
	n := b.snap.flags.get(key)
	switch {
	case n == nil:
		n = &flagNode{key: key}
	case n.owner == b.edit:
		return n
	default:
		c := *n
		n = &c
	}
	n.owner = b.edit
	b.nodes = append(b.nodes, n)
	b.snap.flags.put(b.edit, key, n)
	return n
}

// tidy drops a node that holds nothing any more.
func (b *builder) tidy(n *flagNode) {
	if n.bytes == nil && n.overrides == nil {
		b.snap.flags.remove(b.edit, n.key)
	}
}

func (b *builder) setEvaluator(name string, data []byte, revision uint64) {
	b.evaluators[name] = true
	if data == nil {
		b.snap.evaluators.remove(b.edit, name)
		return
	}
	b.snap.evaluators.put(b.edit, name, &evaluatorNode{data, revision})
}

func (b *builder) setMetadata(key EntryKey, data []byte, revision uint64) {
	b.metadata = true
	i, found := findEntry(b.snap.metadata, key)
	if found {
		b.snap.metadata = slices.Delete(b.snap.metadata, i, i+1)
	}
	if data != nil {
		b.snap.metadata = slices.Insert(b.snap.metadata, i, Entry{key, data, revision})
	}
}

// finish compiles what changed and returns the snapshot, at head.
func (b *builder) finish(head Head) *Snapshot {
	s := b.snap
	if len(b.evaluators) > 0 {
		s.compiled.evaluators = compileEvaluators(&s.evaluators)
		b.markReferring()
	}
	if b.metadata {
		s.compiled.metadata = compileMetadata(s.metadata)
	}
	b.compileStale()
	for _, n := range b.nodes {
		n.fixed, n.rule = nil, nil
		switch {
		case n.overrides != nil:
		case n.mode == modeStatic:
			n.fixed = n.standard
		case n.mode == modeTargeted:
			n.rule = n.program
		}
	}
	s.head = head
	s.bare.snap = s
	return s
}

// worthSharing is how many flags it takes for another goroutine to pay.
const worthSharing = 500

// compileStale compiles the definitions that changed. A whole set is compiled on all
// cores: a process that starts cold has no other use for them yet.
func (b *builder) compileStale() {
	var stale []*flagNode
	for _, n := range b.nodes {
		if n.stale {
			stale = append(stale, n)
		}
	}
	old := make([]time.Duration, len(stale))
	workers := min(runtime.GOMAXPROCS(0), len(stale)/worthSharing)
	compile := func(first int) {
		for i := first; i < len(stale); i += max(workers, 1) {
			n := stale[i]
			old[i], n.stale = n.maxAge, false
			n.compiledFlag = compileFlag(n.key, n.bytes, b.snap.compiled.evaluators)
		}
	}
	var others sync.WaitGroup
	for w := 1; w < workers; w++ {
		others.Go(func() { compile(w) })
	}
	compile(0)
	others.Wait()
	for i, n := range stale {
		b.snap.maxAges = b.snap.maxAges.moved(old[i], n.maxAge)
	}
}

// markReferring has the flags compiled again that refer to a changed evaluator. It
// looks at every flag: evaluators change seldom, and keeping the list of its users
// with each would make every change of a flag pay for the case.
func (b *builder) markReferring() {
	var referring []string
	for key, n := range b.snap.flags.all() {
		if !n.stale && slices.ContainsFunc(n.refs, func(name string) bool { return b.evaluators[name] }) {
			referring = append(referring, key)
		}
	}
	for _, key := range referring {
		b.node(key).stale = true
	}
}

// compileEvaluators leaves out what is not JSON: to the flags that refer to it, it
// is unknown.
func compileEvaluators(nodes *table[*evaluatorNode]) *jsonlogic.Evaluators {
	rules := make(map[string]jsonlogic.Value, nodes.count)
	for name, e := range nodes.all() {
		if rule, err := jsonlogic.ParseJSON(e.bytes); err == nil {
			rules[name] = rule
		}
	}
	return jsonlogic.NewEvaluators(rules)
}

func compileMetadata(entries []Entry) jsonlogic.Value {
	members := make([]jsonlogic.Member, 0, len(entries))
	for _, e := range entries {
		if v, err := jsonlogic.ParseJSON(e.Bytes); err == nil && e.Key.Kind == KindMetadata {
			members = append(members, jsonlogic.Member{Key: e.Key.Name, Value: v})
		}
	}
	object, err := jsonlogic.Object(members...)
	if err != nil {
		return jsonlogic.Null() // keys of a set are distinct
	}
	return object
}

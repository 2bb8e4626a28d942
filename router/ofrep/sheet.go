package ofrep

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// sheet is what all bulk answers from one snapshot have in common, already encoded.
type sheet struct {
	snap *flags.Snapshot
	rows []*row // by key
	set  []byte // metadata of the set

	end atomic.Pointer[ending] // of the last answer
}

// row is a flag in bulk answers. It outlives snapshots that do not change it.
type row struct {
	key      string
	bytes    []byte // the definition
	open     []byte // {"key":"..."
	metadata []byte // {"a":1,"b":2 and no end; empty if there is none
	closed   []byte // ,"metadata":{...}}  what ends a fresh answer

	mu       sync.Mutex // of who adds an outcome
	outcomes atomic.Pointer[[]outcome]
}

// outcome is how a flag may turn out: there are as many as it has variants, or a few more.
type outcome struct {
	variant string
	reason  flags.Reason
	code    flags.ErrorCode
	text    []byte // ,"value":...,"reason":...,"variant":...
	sum     sum    // of the whole answer, metadata included
}

// mostOutcomes bounds what a row keeps.
const mostOutcomes = 64

// sheetOf returns the sheet of a call's snapshot.
func (s *Service) sheetOf(call *evaluator.Call) *sheet {
	snap := call.View.Snapshot()
	if last, _ := s.sheets.Load(call.Set); last != nil && last.(*sheet).snap == snap {
		return last.(*sheet)
	}
	s.laying.Lock() // after a change everybody comes at once: one lays it out
	defer s.laying.Unlock()
	last, _ := s.sheets.Load(call.Set)
	old, _ := last.(*sheet)
	if old != nil && old.snap == snap {
		return old
	}
	now := newSheet(call.View, old)
	// An older view than the last one's is rare; it has a sheet of its own.
	if old == nil || old.snap.Head().Lineage != snap.Head().Lineage || old.snap.Head().Version.Before(snap.Head().Version) {
		s.sheets.Store(call.Set, now)
	}
	return now
}

// newSheet lays out a snapshot. It takes over from old what did not change: a toggle
// in a large set costs a walk over its keys, and one row.
func newSheet(view flags.View, old *sheet) *sheet {
	snap := view.Snapshot()
	sh := &sheet{snap: snap, set: snap.Metadata().AppendJSON(nil)}
	keys := snap.Keys()
	sh.rows = make([]*row, 0, len(keys))
	var before []*row
	if old != nil && bytes.Equal(old.set, sh.set) {
		before = old.rows
	}
	for _, key := range keys {
		for len(before) > 0 && before[0].key < key {
			before = before[1:]
		}
		entry, _ := snap.Get(flags.FlagKey(key))
		if len(before) > 0 && before[0].key == key && same(before[0].bytes, entry.Bytes) {
			sh.rows = append(sh.rows, before[0])
			continue
		}
		sh.rows = append(sh.rows, newRow(view, key, entry.Bytes))
	}
	return sh
}

// same reports whether two slices are one and the same: the bytes of an entry are
// shared by all snapshots that have it.
func same(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func newRow(view flags.View, key string, definition []byte) *row {
	r := &row{key: key, bytes: definition, open: appendText([]byte(`{"key":`), key)}
	d := view.ValueDetails(key, flags.EvaluationContext{}, flags.Value{})
	metadata := []byte{'{'}
	for name, v := range d.Metadata().Members() {
		if name != evaluator.RevisionKey && name != evaluator.FreshnessKey { // the router's own
			metadata = appendMember(metadata, name, v)
		}
	}
	r.closed = []byte{'}'}
	if len(metadata) > 1 {
		r.metadata = metadata
		r.closed = append(append([]byte(`,"metadata":`), metadata...), "}}"...)
	}
	r.outcomes.Store(&[]outcome{})
	return r
}

// appendMember appends a member to an object that is not closed yet.
func appendMember(object []byte, name string, v flags.Value) []byte {
	if object[len(object)-1] != '{' {
		object = append(object, ',')
	}
	return v.AppendJSON(append(appendText(object, name), ':'))
}

// append appends the answer of the flag for a context, and its sum.
func (r *row) append(b *buffer, view flags.View, ec flags.EvaluationContext) {
	d := view.ValueDetails(r.key, ec, flags.Value{})
	o := r.outcome(&d)
	b.sums = append(append(b.sums, o.sum[:]...), byte(d.Freshness))
	b.out = append(append(b.out, r.open...), o.text...)
	if d.Freshness == flags.FreshnessFresh {
		b.out = append(b.out, r.closed...)
		return
	}
	b.out = append(b.out, `,"metadata":`...)
	if r.metadata == nil {
		b.out = append(b.out, '{')
	}
	b.out = appendMember(append(b.out, r.metadata...), evaluator.FreshnessKey, freshness(d.Freshness))
	b.out = append(b.out, "}}"...)
}

// freshness is how metadata says it.
func freshness(f flags.Freshness) flags.Value {
	if f == flags.FreshnessStale {
		return flags.StringValue("stale")
	}
	return flags.StringValue("not fresh")
}

// outcome returns the part of an answer that depends on the context. Only the first
// of a kind is encoded.
func (r *row) outcome(d *flags.ValueDetails) *outcome {
	known := *r.outcomes.Load()
	for i := range known {
		if o := &known[i]; o.variant == d.Variant && o.reason == d.Reason && o.code == d.ErrorCode {
			return o
		}
	}
	return r.learn(d)
}

func (r *row) learn(d *flags.ValueDetails) *outcome {
	o := outcome{variant: d.Variant, reason: d.Reason, code: d.ErrorCode, text: appendOutcome(nil, d, r.key)}
	o.sum = sumOf(r.open, o.text, r.closed)
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := *r.outcomes.Load(); len(known) < mostOutcomes {
		next := append(slices.Clone(known), o)
		r.outcomes.Store(&next)
	}
	return &o
}

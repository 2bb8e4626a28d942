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
	snap  *flags.Snapshot
	lines []line // by key
	fixed sum    // of all lines that are fixed
	set   []byte // metadata of the set

	end atomic.Pointer[ending] // of the last answer
}

// line is a flag of the snapshot.
type line struct {
	row *row
	// fixed is the answer for every context, of a flag that is STATIC. It holds while the
	// view is fresh: a flag with a bound of its own may be stale before its set is, so
	// it has none. nil: the flag is asked each time.
	fixed *outcome
}

// row is a flag in bulk answers. It outlives snapshots that do not change it.
type row struct {
	key      string
	bytes    []byte // the definition
	open     []byte // {"key":"..."
	metadata []byte // {"a":1,"b":2 and no end; empty if there is none
	closed   []byte // ,"metadata":{...}}, what ends a fresh answer
	bounded  bool   // may be stale in a fresh view

	mu       sync.Mutex // of who adds an outcome
	outcomes atomic.Pointer[[]outcome]
}

// comma ends each flag's answer. The last one's is taken back.
var comma = []byte{','}

// outcome is how a flag may turn out: there are as many as it has variants, or a few more.
type outcome struct {
	variant string
	reason  flags.Reason
	code    flags.ErrorCode
	text    []byte // the fresh answer: row.open,"value":...,"reason":...,"variant":... row.closed
	sum     sum    // of text
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
	sh.lines = make([]line, 0, len(keys))
	var before []line
	if old != nil && bytes.Equal(old.set, sh.set) {
		before = old.lines
	}
	var fixed []byte
	for _, key := range keys {
		for len(before) > 0 && before[0].row.key < key {
			before = before[1:]
		}
		entry, _ := snap.Get(flags.FlagKey(key))
		d := view.ValueDetails(key, flags.EvaluationContext{}, flags.Value{})
		var l line
		if len(before) > 0 && before[0].row.key == key && same(before[0].row.bytes, entry.Bytes) {
			l.row = before[0].row
		} else {
			l.row = newRow(&d, key, entry.Bytes)
		}
		// Overrides come and go without a change of the definition, and make a flag vary.
		if d.Reason == flags.ReasonStatic && !l.row.bounded {
			l.fixed = l.row.outcome(&d)
			fixed = append(fixed, l.fixed.sum[:]...)
		}
		sh.lines = append(sh.lines, l)
	}
	sh.fixed = sumOf(fixed)
	return sh
}

// same reports whether two slices are one and the same: the bytes of an entry are
// shared by all snapshots that have it.
func same(a, b []byte) bool {
	return len(a) == len(b) && unsafe.SliceData(a) == unsafe.SliceData(b)
}

func newRow(d *flags.ValueDetails, key string, definition []byte) *row {
	r := &row{key: key, bytes: definition, open: appendText([]byte(`{"key":`), key)}
	_, r.bounded = d.Metadata().Get(flags.MetadataMaxAge)
	metadata := []byte{'{'}
	for name, v := range d.Metadata().Members() {
		if name != evaluator.RevisionKey && name != evaluator.FreshnessKey { // the router's own
			metadata = appendMember(metadata, name, v)
		}
	}
	r.closed = []byte("},")
	if len(metadata) > 1 {
		r.metadata = metadata
		r.closed = append(append([]byte(`,"metadata":`), metadata...), "}},"...)
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
	if d.Freshness == flags.FreshnessFresh {
		b.out = append(b.out, o.text...)
		return
	}
	b.out = append(append(b.out, o.text[:len(o.text)-len(r.closed)]...), `,"metadata":`...)
	if r.metadata == nil {
		b.out = append(b.out, '{')
	}
	b.out = appendMember(append(b.out, r.metadata...), evaluator.FreshnessKey, freshness(d.Freshness))
	b.out = append(b.out, "}},"...)
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
	text := append(appendOutcome(slices.Clone(r.open), d, r.key), r.closed...)
	o := outcome{variant: d.Variant, reason: d.Reason, code: d.ErrorCode, text: text, sum: sumOf(text)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := *r.outcomes.Load(); len(known) < mostOutcomes {
		next := append(slices.Clone(known), o)
		r.outcomes.Store(&next)
	}
	return &o
}

package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Records is what keeps records and can be closed.
type Records interface {
	store.Records
	io.Closer
}

// RecordsHarness is how the suite gets at a driver's records.
type RecordsHarness struct {
	// New returns open, empty records that nobody else uses. Required.
	New func(t testing.TB) Records
	// Reopen closes s and opens the same data again. Nil: what survives is not checked.
	Reopen func(t testing.TB, s Records) Records
	// Writers is how many put at the same time. Default 8.
	Writers int
	// Patience is how long anything may take. Default 15 s.
	Patience time.Duration
}

// RecordsCase is one clause of the contract of records.
type RecordsCase struct {
	Name string
	Run  func(t testing.TB, h RecordsHarness)
}

// RecordsCases returns all clauses in the order in which RunRecords checks them.
func RecordsCases() []RecordsCase {
	var cases []RecordsCase
	for _, name := range slices.Sorted(maps.Keys(recordsClauses)) {
		clause := recordsClauses[name]
		cases = append(cases, RecordsCase{"records/" + name, func(t testing.TB, h RecordsHarness) {
			h.Writers, h.Patience = cmp.Or(h.Writers, 8), cmp.Or(h.Patience, 15*time.Second)
			clause(&recording{env: &env{TB: t, h: Harness{Patience: h.Patience}}, hr: h, r: h.New(t)})
		}})
	}
	return cases
}

// RunRecords holds a driver's records to the contract.
func RunRecords(t *testing.T, h RecordsHarness) {
	for _, c := range RecordsCases() {
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

// recording is one clause at work on records.
type recording struct {
	*env
	hr RecordsHarness
	r  Records
}

func item(id, text string) store.Item { return store.Item{Kind: "note", ID: id, Bytes: []byte(text)} }

// put wants the item to be stored.
func (e *recording) put(it store.Item) store.Item {
	e.Helper()
	out, err := e.r.PutRecord(e.ctx(), it)
	if err != nil {
		e.Fatalf("PutRecord %s/%s: %v", it.Kind, it.ID, err)
	}
	if out.Version == 0 || out.Version == it.Version || !bytes.Equal(out.Bytes, it.Bytes) {
		e.Fatalf("put at version %d, stored as %+v", it.Version, out)
	}
	return out
}

// refuses wants an item not to be stored.
func (e *recording) refuses(it store.Item, sentinel error) {
	e.Helper()
	_, err := e.r.PutRecord(e.ctx(), it)
	e.wantError("PutRecord", err, sentinel)
}

// finds wants exactly this item.
func (e *recording) finds(want store.Item) {
	e.Helper()
	got, err := e.r.GetRecord(e.ctx(), want.Kind, want.ID)
	if err != nil {
		e.Fatalf("GetRecord: %v", err)
	}
	e.sameItem(got, want)
}

func (e *recording) sameItem(got, want store.Item) {
	e.Helper()
	if got.Kind != want.Kind || got.ID != want.ID || got.Version != want.Version ||
		!bytes.Equal(got.Bytes, want.Bytes) || !got.Expires.Equal(want.Expires) {
		e.Fatalf("got %+v, want %+v", got, want)
	}
}

func (e *recording) misses(kind, id string) {
	e.Helper()
	_, err := e.r.GetRecord(e.ctx(), kind, id)
	e.wantError("GetRecord", err, store.ErrNotFound)
	if flags.ClassOf(err) != flags.ClassNotFound {
		e.Fatalf("class %s, want not found", flags.ClassOf(err))
	}
}

// lists wants exactly these, in order.
func (e *recording) lists(kind string, want ...store.Item) {
	e.Helper()
	got, err := e.r.ListRecords(e.ctx(), kind)
	if err != nil || len(got) != len(want) {
		e.Fatalf("ListRecords: %d items, %v; want %d", len(got), err, len(want))
	}
	for i := range got {
		e.sameItem(got[i], want[i])
	}
}

var recordsClauses = map[string]func(*recording){
	"what was put is found": func(e *recording) {
		e.misses("note", "a")
		e.lists("note")
		all := bytes.Repeat([]byte{0, 0xff, 'x'}, store.MaxItemBytes/3)
		b := e.put(item("b", string(all)))
		a := item("a", "")
		a.Expires = time.Now().Add(time.Hour)
		a = e.put(a)
		e.finds(a)
		e.finds(b)
		e.lists("note", a, b)
		e.misses("note", "c")
		e.misses("other", "a")
	},
	"a put is of a version": func(e *recording) {
		first := e.put(item("a", "1"))
		e.refuses(item("a", "new"), store.ErrConflict)
		second := first
		second.Bytes = []byte("2")
		second = e.put(second)
		e.refuses(first, store.ErrConflict)
		e.finds(second)
		absent := item("b", "x")
		absent.Version = second.Version
		e.refuses(absent, store.ErrConflict)
		e.misses("note", "b")
	},
	"no version comes twice": func(e *recording) {
		first := e.put(item("a", "1"))
		if err := e.r.DeleteRecord(e.ctx(), "note", "a", first.Version); err != nil {
			e.Fatal(err)
		}
		again := e.put(item("a", "1"))
		e.refuses(first, store.ErrConflict)
		e.wantError("DeleteRecord", e.r.DeleteRecord(e.ctx(), "note", "a", first.Version), store.ErrConflict)
		e.finds(again)
	},
	"a deletion is of a version": func(e *recording) {
		e.wantError("DeleteRecord", e.r.DeleteRecord(e.ctx(), "note", "a", 1), store.ErrNotFound)
		a := e.put(item("a", "1"))
		e.wantError("DeleteRecord", e.r.DeleteRecord(e.ctx(), "note", "a", a.Version/2), store.ErrConflict)
		e.finds(a)
		if err := e.r.DeleteRecord(e.ctx(), "note", "a", a.Version); err != nil {
			e.Fatal(err)
		}
		e.misses("note", "a")
		e.lists("note")
	},
	"expired is gone": func(e *recording) {
		kept := e.put(item("kept", "x"))
		a := item("a", "1")
		a.Expires = time.Now().Add(200 * time.Millisecond)
		a = e.put(a)
		e.gone("a")
		e.lists("note", kept)
		late := item("a", "late")
		late.Version = a.Version
		e.refuses(late, store.ErrConflict)
		e.wantError("DeleteRecord", e.r.DeleteRecord(e.ctx(), "note", "a", a.Version), store.ErrNotFound)
		again := e.put(item("a", "2"))
		e.finds(again)
		e.lists("note", again, kept)
		past := item("b", "1")
		past.Expires = time.Now().Add(-time.Second)
		e.refuses(past, store.ErrInvalid)
	},
	"names are compared byte by byte": func(e *recording) {
		ids := []string{"A", "a", "a.b", "a:b", "a@b", "a_b", "id-1", strings.Repeat("x", store.MaxItemID)}
		var want []store.Item
		for _, id := range ids {
			want = append(want, e.put(item(id, id)))
			other := item(id, "other")
			other.Kind = "note2"
			e.put(other)
		}
		slices.SortFunc(want, func(a, b store.Item) int { return cmp.Compare(a.ID, b.ID) })
		e.lists("note", want...)
	},
	"bounds are kept": func(e *recording) {
		for what, it := range map[string]store.Item{
			"no kind":        {ID: "a"},
			"no id":          {Kind: "note"},
			"a kind's case":  {Kind: "Note", ID: "a"},
			"a long kind":    {Kind: strings.Repeat("k", store.MaxItemKind+1), ID: "a"},
			"a long id":      {Kind: "note", ID: strings.Repeat("k", store.MaxItemID+1)},
			"a slash":        {Kind: "note", ID: "a/b"},
			"a zero byte":    {Kind: "note", ID: "a\x00"},
			"no ASCII":       {Kind: "note", ID: "\u00e9"},
			"too many bytes": item("a", strings.Repeat("x", store.MaxItemBytes+1)),
		} {
			_, err := e.r.PutRecord(e.ctx(), it)
			e.wantError(what, err, store.ErrInvalid)
			if flags.ClassOf(err) != flags.ClassPermanent {
				e.Errorf("%s: class %s, want permanent", what, flags.ClassOf(err))
			}
		}
		_, err := e.r.GetRecord(e.ctx(), "note", "a/b")
		e.wantError("GetRecord", err, store.ErrInvalid)
		e.lists("note")
	},
	"nobody's hands are on what is stored": func(e *recording) {
		text := []byte("text")
		a := e.put(store.Item{Kind: "note", ID: "a", Bytes: text})
		text[0] = 'X'
		a.Bytes[1] = 'X'
		got, err := e.r.GetRecord(e.ctx(), "note", "a")
		if err != nil || string(got.Bytes) != "text" {
			e.Fatalf("%q, %v", got.Bytes, err)
		}
	},
	"no update is lost": func(e *recording) {
		e.put(item("n", "0"))
		const each = 5
		var wg sync.WaitGroup
		var failed atomic.Pointer[error]
		ctx := e.ctx()
		for range e.hr.Writers {
			wg.Go(func() {
				for range each {
					if err := increment(ctx, e.r); err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
		wg.Wait()
		if err := failed.Load(); err != nil {
			e.Fatal(*err)
		}
		it, err := e.r.GetRecord(ctx, "note", "n")
		if want := fmt.Sprint(e.hr.Writers * each); err != nil || string(it.Bytes) != want {
			e.Fatalf("counted to %s, %v; want %s", it.Bytes, err, want)
		}
	},
	"one of many creates": func(e *recording) {
		var wg sync.WaitGroup
		var won, lost atomic.Int64
		ctx := e.ctx()
		for i := range e.hr.Writers {
			wg.Go(func() {
				_, err := e.r.PutRecord(ctx, item("a", fmt.Sprint(i)))
				switch {
				case err == nil:
					won.Add(1)
				case errors.Is(err, store.ErrConflict):
					lost.Add(1)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 || lost.Load() != int64(e.hr.Writers-1) {
			e.Fatalf("%d won and %d lost of %d", won.Load(), lost.Load(), e.hr.Writers)
		}
	},
	"survive": func(e *recording) {
		if e.hr.Reopen == nil {
			return // nothing is promised
		}
		a := item("a", "1")
		a.Expires = time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
		a = e.put(a)
		e.r = e.hr.Reopen(e, e.r)
		e.finds(a)
		a.Bytes = []byte("2")
		e.put(a)
	},
	"a closed store says so": func(e *recording) {
		if err := e.r.Close(); err != nil {
			e.Fatal(err)
		}
		for op, err := range e.calls(e.ctx()) {
			e.wantError(op, err, store.ErrClosed)
		}
	},
	"a canceled caller is not an outage": func(e *recording) {
		ctx, cancel := context.WithCancel(e.ctx())
		cancel()
		for op, err := range e.calls(ctx) {
			e.wantError(op, err, context.Canceled)
			if flags.ClassOf(err) != flags.ClassCanceled {
				e.Errorf("%s: class %s, want canceled", op, flags.ClassOf(err))
			}
		}
	},
}

// gone waits until an item has expired.
func (e *recording) gone(id string) {
	e.Helper()
	ctx := e.ctx()
	for {
		_, err := e.r.GetRecord(ctx, "note", id)
		if errors.Is(err, store.ErrNotFound) {
			return
		}
		if err != nil {
			e.Fatalf("waiting for %s to expire: %v", id, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// increment adds one to the number in a record, however often it takes.
func increment(ctx context.Context, r store.Records) error {
	for {
		it, err := r.GetRecord(ctx, "note", "n")
		if err != nil {
			return err
		}
		var n int
		if _, err := fmt.Sscan(string(it.Bytes), &n); err != nil {
			return err
		}
		it.Bytes = fmt.Append(nil, n+1)
		if _, err = r.PutRecord(ctx, it); !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
}

// calls makes each call once.
func (e *recording) calls(ctx context.Context) map[string]error {
	_, get := e.r.GetRecord(ctx, "note", "a")
	_, list := e.r.ListRecords(ctx, "note")
	_, put := e.r.PutRecord(ctx, item("a", "x"))
	return map[string]error{
		"GetRecord": get, "ListRecords": list, "PutRecord": put,
		"DeleteRecord": e.r.DeleteRecord(ctx, "note", "a", 1),
	}
}

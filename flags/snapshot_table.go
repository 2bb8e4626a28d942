package flags

import (
	"iter"
	"math/bits"
)

// table is an immutable hash table by text: a directory of small pages, each an
// open-addressed table of its own. A change copies the directory and one page, so
// it costs the same whether there are a hundred entries or a million, nearly; the
// directory is laid out anew only when pages have grown full. The zero table is empty.
//
// A lookup hashes once, reads the directory and compares one hash and one key,
// which is what a Go map does too, without its page being shared by anybody who writes.
type table[V any] struct {
	pages []*page[V] // a power of two of them; nil pages are empty
	count int
}

type page[V any] struct {
	owner *edit // may change the page in place, until it is published
	used  int
	slots []slot[V] // a power of two of them, at most three quarters in use
}

// slot is free where hash is 0.
type slot[V any] struct {
	hash  uint64
	key   string
	value V
}

// edit is the identity of one series of changes: pages that it made itself are
// not copied again.
type edit struct{ _ byte }

const (
	minPageSlots = 4
	maxPageSlots = 64
	// meanPageLoad is what a new directory is laid out for. Far enough below
	// three quarters of maxPageSlots that chance does not fill a page early.
	meanPageLoad = 16
)

// get returns the value of a key. The zero V, usually nil, says that there is none.
func (t *table[V]) get(key string) (value V) {
	if len(t.pages) == 0 {
		return value
	}
	h := hashText(key)
	p := t.pages[h&uint64(len(t.pages)-1)]
	if p == nil {
		return value
	}
	for i := h >> 32; ; i++ {
		s := &p.slots[i&uint64(len(p.slots)-1)]
		if s.hash == h && s.key == key {
			return s.value
		}
		if s.hash == 0 {
			return value
		}
	}
}

// all iterates over the table in no order.
func (t *table[V]) all() iter.Seq2[string, V] {
	return func(yield func(string, V) bool) {
		for _, p := range t.pages {
			if p == nil {
				continue
			}
			for i := range p.slots {
				if s := &p.slots[i]; s.hash != 0 && !yield(s.key, s.value) {
					return
				}
			}
		}
	}
}

// clone returns a table whose directory may be changed.
func (t *table[V]) clone() table[V] {
	return table[V]{pages: append([]*page[V](nil), t.pages...), count: t.count}
}

// sizedTable returns an empty table laid out for n entries.
func sizedTable[V any](n int) table[V] {
	return table[V]{pages: make([]*page[V], directorySize(n))}
}

func directorySize(n int) int {
	if n <= maxPageSlots/2 {
		return 1
	}
	return 1 << bits.Len(uint((n-1)/meanPageLoad))
}

// put sets a key. The directory must be the caller's own, by clone or sizedTable.
func (t *table[V]) put(e *edit, key string, value V) {
	t.place(e, slot[V]{hashText(key), key, value})
}

func (t *table[V]) place(e *edit, s slot[V]) {
	if len(t.pages) == 0 {
		t.pages = make([]*page[V], 1)
	}
	at := s.hash & uint64(len(t.pages)-1)
	p := t.pages[at].own(e)
	if p.replace(s) {
		t.pages[at] = p
		return
	}
	if (p.used+1)*4 > len(p.slots)*3 {
		if len(p.slots) == maxPageSlots {
			t.widen(e)
			t.place(e, s)
			return
		}
		p = p.resized(e, len(p.slots)*2)
	}
	p.insert(s)
	t.pages[at] = p
	t.count++
}

// remove deletes a key. The directory must be the caller's own.
func (t *table[V]) remove(e *edit, key string) {
	if len(t.pages) == 0 {
		return
	}
	h := hashText(key)
	at := h & uint64(len(t.pages)-1)
	old := t.pages[at]
	if old == nil {
		return
	}
	// Linear probing cannot leave holes: the page is filled again without the key.
	p := newPage[V](e, len(old.slots))
	for i := range old.slots {
		if s := &old.slots[i]; s.hash != 0 && (s.hash != h || s.key != key) {
			p.insert(*s)
		}
	}
	t.count -= old.used - p.used
	t.pages[at] = p
}

// widen doubles the directory.
func (t *table[V]) widen(e *edit) {
	wide := table[V]{pages: make([]*page[V], max(len(t.pages)*2, directorySize(t.count)))}
	for _, p := range t.pages {
		if p == nil {
			continue
		}
		for i := range p.slots {
			if p.slots[i].hash != 0 {
				wide.place(e, p.slots[i])
			}
		}
	}
	*t = wide
}

func newPage[V any](e *edit, slots int) *page[V] {
	return &page[V]{owner: e, slots: make([]slot[V], slots)}
}

// own returns a page that e may change.
func (p *page[V]) own(e *edit) *page[V] {
	if p == nil {
		return newPage[V](e, minPageSlots)
	}
	if p.owner == e {
		return p
	}
	return &page[V]{owner: e, used: p.used, slots: append([]slot[V](nil), p.slots...)}
}

func (p *page[V]) resized(e *edit, slots int) *page[V] {
	q := newPage[V](e, slots)
	for i := range p.slots {
		if p.slots[i].hash != 0 {
			q.insert(p.slots[i])
		}
	}
	return q
}

// replace sets the value of a key that the page has.
func (p *page[V]) replace(s slot[V]) bool {
	for i := s.hash >> 32; ; i++ {
		have := &p.slots[i&uint64(len(p.slots)-1)]
		if have.hash == s.hash && have.key == s.key {
			have.value = s.value
			return true
		}
		if have.hash == 0 {
			return false
		}
	}
}

// insert adds a key that the page has not, and has room for.
func (p *page[V]) insert(s slot[V]) {
	for i := s.hash >> 32; ; i++ {
		if have := &p.slots[i&uint64(len(p.slots)-1)]; have.hash == 0 {
			*have = s
			p.used++
			return
		}
	}
}

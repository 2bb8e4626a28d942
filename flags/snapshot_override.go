package flags

import (
	"bytes"
	"iter"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// overrideTable holds the overrides of one flag by targeting key.
type overrideTable struct {
	owner *edit
	rows  table[override]
	texts []*overrideText // those in use, for sharing; at most maxSharedTexts
}

type override struct {
	text     *overrideText
	revision uint64
}

// overrideText is the content of an override. A million overrides of a flag say
// one of a few things, so they share these.
type overrideText struct {
	bytes   []byte
	variant string
}

const maxSharedTexts = 16

func newOverrideText(data []byte) *overrideText {
	t := &overrideText{bytes: data}
	if doc, err := jsonlogic.ParseJSON(data); err == nil {
		v, _ := doc.Get("variant")
		t.variant = v.Str()
	}
	return t
}

// get returns the override of an entity; its text is nil where there is none.
func (o *overrideTable) get(entity string) override {
	if o == nil || entity == "" {
		return override{}
	}
	return o.rows.get(entity)
}

func (o *overrideTable) all() iter.Seq2[string, override] {
	if o == nil {
		return func(func(string, override) bool) {}
	}
	return o.rows.all()
}

// own returns a table that e may change.
func (o *overrideTable) own(e *edit) *overrideTable {
	switch {
	case o == nil:
		return &overrideTable{owner: e}
	case o.owner == e:
		return o
	default:
		return &overrideTable{owner: e, rows: o.rows.clone(), texts: o.texts[:len(o.texts):len(o.texts)]}
	}
}

// set puts or, where data is nil, removes an override. o must be e's own.
func (o *overrideTable) set(e *edit, entity string, data []byte, revision uint64) {
	if data == nil {
		o.rows.remove(e, entity)
		return
	}
	o.rows.put(e, entity, override{o.share(data), revision})
}

func (o *overrideTable) share(data []byte) *overrideText {
	for _, t := range o.texts {
		if bytes.Equal(t.bytes, data) {
			return t
		}
	}
	t := newOverrideText(data)
	if len(o.texts) < maxSharedTexts {
		o.texts = append(o.texts, t)
	}
	return t
}

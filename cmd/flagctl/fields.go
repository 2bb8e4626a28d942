package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// record is one answer, reduced to the fields that were asked for, in that order.
type record struct {
	names  []string
	values []json.RawMessage
}

// MarshalJSON keeps the order.
func (r record) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, name := range r.names {
		if i > 0 {
			b.WriteByte(',')
		}
		text, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b.Write(append(append(text, ':'), orNull(r.values[i])...))
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// picked is an answer of --fields.
type picked struct {
	records []record
	list    bool
}

// MarshalJSON keeps a list a list, and one answer one.
func (p picked) MarshalJSON() ([]byte, error) {
	if p.list {
		return json.Marshal(p.records)
	}
	return json.Marshal(p.records[0])
}

func (p picked) table(w io.Writer, names []string) {
	header := make([]any, len(names))
	for i, name := range names {
		header[i] = strings.ToUpper(name)
	}
	row(w, header...)
	for _, r := range p.records {
		cells := make([]any, len(r.values))
		for i, v := range r.values {
			cells[i] = cellText(v)
		}
		row(w, cells...)
	}
}

// cellText is a JSON value as a table shows it: texts without quotes, nothing as -.
func cellText(v json.RawMessage) string {
	var s string
	switch {
	case v == nil || string(v) == "null":
		return "-"
	case json.Unmarshal(v, &s) == nil:
		return s
	}
	return string(v)
}

// pick reduces an answer, one or a list, to some of its fields.
func pick(v any, names []string) (picked, error) {
	t := reflect.TypeOf(v)
	p := picked{list: t.Kind() == reflect.Slice}
	if p.list {
		t = t.Elem()
	}
	known := fieldNames(t)
	for _, name := range names {
		if !slices.Contains(known, name) {
			return p, usagef("--fields: no field %q; there are %s", name, strings.Join(known, ", "))
		}
	}
	text, err := json.Marshal(v)
	if err != nil {
		return p, fmt.Errorf("encode answer: %w", err)
	}
	if !p.list {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	var all []map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return p, usagef("--fields does not apply to this answer")
	}
	p.records = make([]record, len(all))
	for i, fields := range all {
		r := record{names: names}
		for _, name := range names {
			r.values = append(r.values, fields[name])
		}
		p.records[i] = r
	}
	return p, nil
}

// fieldNames returns the names that the fields of a struct have in JSON.
func fieldNames(t reflect.Type) []string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var names []string
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" {
			names = append(names, fieldNames(f.Type)...)
		} else if name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

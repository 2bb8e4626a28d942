package syncsvc

import (
	"bytes"
	"hash/maphash"
	"slices"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
)

// Document returns a set as flagd's providers are served it: a flag definition in
// JSON that any evaluator answers from as this router does.
//
//	{"flags": {...}, "metadata": {"flagSetId": "default", "holdfastRevision": "default@0.57~k7q2m9"}}
//
// Evaluators stand in the rules that refer to them, and the overrides of a flag in
// its targeting, around the flag's own. Only what evaluators read is in it. One flag
// spoils nothing: where a provider would refuse the whole document for it, there is one in its place that
// answers PARSE_ERROR, as it does here.
func Document(s *flags.Snapshot) []byte { return new(exporter).document(s) }

// inlineLimit is the size up to which evaluators are written out wherever they are
// used. Past it, which a large segment of many flags comes to, they are
// written once, as flagd's files have them: less is lost by that than by
// a document that no client takes.
const inlineLimit = MaxClientBytes - 64<<10

// exporter writes documents of one set. It keeps the text of each flag, so that
// the next document costs what has changed, and the copying. Not safe for concurrent use.
type exporter struct {
	flags      map[string]*piece
	evaluators map[string]sharedRule
	refer      bool // references stay, and the document brings the evaluators
	size       int  // of the last document
	seed       maphash.Seed
}

type sharedRule struct {
	bytes []byte
	rule  flags.Value
}

// piece is one flag: as it is in the set now, and as it was when its text was made.
type piece struct {
	definition []byte
	overrides  []flags.Entry // while a document is made
	sum        uint64        // of the overrides, whatever their order

	text    []byte // nil: to be made
	textOf  []byte // the definition
	textSum uint64
}

func (x *exporter) document(s *flags.Snapshot) []byte {
	x.gather(s)
	defer func() {
		for _, p := range x.flags {
			p.overrides = nil
		}
	}()
	keys := s.Keys()
	if !x.refer {
		if out, ok := x.write(s, keys, inlineLimit); ok {
			return out
		}
		x.forget()
		x.refer = true
	}
	out, _ := x.write(s, keys, -1)
	if len(out) < inlineLimit/2 {
		x.forget()
		x.refer = false // for the next time; perhaps the segment has gone
	}
	return out
}

// gather takes over what the set consists of.
func (x *exporter) gather(s *flags.Snapshot) {
	if x.flags == nil {
		x.flags, x.seed = make(map[string]*piece, s.Head().Count), maphash.MakeSeed()
	}
	for _, p := range x.flags {
		p.definition, p.sum = nil, 0
	}
	was := x.evaluators
	x.evaluators = map[string]sharedRule{}
	changed := false
	for e := range s.Entries() {
		switch e.Key.Kind {
		case flags.KindFlag:
			x.piece(e.Key.Name).definition = e.Bytes
		case flags.KindOverride:
			p := x.piece(e.Key.Name)
			p.overrides = append(p.overrides, e)
			p.sum += x.hash(e)
		case flags.KindEvaluator:
			old, ok := was[e.Key.Name]
			if !ok || !bytes.Equal(old.bytes, e.Bytes) {
				changed = true
				rule, err := flags.ParseValue(e.Bytes)
				if err != nil {
					continue // unknown, to those that refer to it
				}
				old = sharedRule{e.Bytes, rule}
			}
			x.evaluators[e.Key.Name] = old
		}
	}
	for key, p := range x.flags {
		if p.definition == nil {
			delete(x.flags, key)
		}
	}
	if changed || len(was) != len(x.evaluators) {
		x.forget()
	}
}

func (x *exporter) piece(key string) *piece {
	p := x.flags[key]
	if p == nil {
		p = &piece{}
		x.flags[key] = p
	}
	return p
}

// hash is of an override; a sum of them does not depend on their order.
func (x *exporter) hash(e flags.Entry) uint64 {
	var h maphash.Hash
	h.SetSeed(x.seed)
	_, _ = h.WriteString(e.Key.Entity) // a hash takes everything
	_ = h.WriteByte(0)
	_, _ = h.Write(e.Bytes)
	return h.Sum64()
}

func (x *exporter) forget() {
	for _, p := range x.flags {
		p.text = nil
	}
}

// write returns the document, or false where it gets larger than limit, if that is
// not negative.
func (x *exporter) write(s *flags.Snapshot, keys []string, limit int) ([]byte, bool) {
	out := make([]byte, 0, x.size+x.size/16+1024)
	out = append(out, '{')
	if x.refer {
		out = x.appendEvaluators(out)
	}
	out = append(out, `"flags":{`...)
	first := true
	for _, key := range keys {
		if !utf8.ValidString(key) {
			continue // no request can name it
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(flags.StringValue(key).AppendJSON(out), ':')
		out = append(out, x.text(x.flags[key])...)
		if limit >= 0 && len(out) > limit {
			return nil, false
		}
	}
	out = append(out, `},"metadata":`...)
	out = append(appendMetadata(out, s), '}')
	x.size = len(out)
	return out, true
}

// text returns the definition that is served for a flag.
func (x *exporter) text(p *piece) []byte {
	if p.text == nil || p.textSum != p.sum || !bytes.Equal(p.textOf, p.definition) {
		p.text = x.definition(p)
		p.textOf, p.textSum = p.definition, p.sum
	}
	return p.text
}

func (x *exporter) appendEvaluators(out []byte) []byte {
	names := make([]string, 0, len(x.evaluators))
	for name, e := range x.evaluators {
		// An empty one has flagd refuse the document.
		if utf8.ValidString(name) && e.rule.Len() > 0 && depth(e.rule) <= maxRuleDepth {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out = append(out, `"$evaluators":{`...)
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(flags.StringValue(name).AppendJSON(out), ':')
		out = x.evaluators[name].rule.AppendJSON(out)
	}
	return append(out, `},`...)
}

// Keys of the metadata that every document has.
const (
	metadataFlagSet  = "flagSetId"        // flagd's; the name of the set, unless it says so itself
	metadataRevision = "holdfastRevision" // the token of the set
)

func appendMetadata(out []byte, s *flags.Snapshot) []byte {
	own := s.Metadata()
	out = append(out, '{')
	if _, said := own.Get(metadataFlagSet); !said {
		out = appendMember(out, metadataFlagSet, flags.StringValue(s.Head().Set))
		out = append(out, ',')
	}
	for key, v := range own.Members() {
		if scalar(v) && key != metadataRevision {
			out = append(appendMember(out, key, v), ',')
		}
	}
	out = appendMember(out, metadataRevision, flags.StringValue(s.Token().String()))
	return append(out, '}')
}

func appendMember(out []byte, key string, v flags.Value) []byte {
	out = append(flags.StringValue(key).AppendJSON(out), ':')
	return v.AppendJSON(out)
}

// scalar reports whether v is what providers take as metadata.
func scalar(v flags.Value) bool {
	switch v.Kind() {
	case flags.ValueBool, flags.ValueNumber, flags.ValueString:
		return true
	default:
		return false
	}
}

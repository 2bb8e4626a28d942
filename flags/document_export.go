package flags

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// Export returns entries as a flag file in JSON, indented by two spaces and with
// names sorted: equal entries give equal bytes, and ParseDocument gives the same
// entries back. The error is a *ValidationError: bytes that are not JSON, or an
// override whose flag is not among the entries.
func Export(entries []Entry) ([]byte, error) {
	sections := map[Kind]*node{}
	for _, kind := range []Kind{KindFlag, KindEvaluator, KindMetadata} {
		sections[kind] = &node{kind: objectNode}
	}
	flags := map[string]*node{}
	sorted := slices.SortedFunc(slices.Values(entries), func(a, b Entry) int { return a.Key.Compare(b.Key) })
	for _, e := range sorted {
		n, fault := parseTree(e.Bytes)
		if fault == nil {
			fault = place(sections, flags, e.Key, n)
		}
		if fault != nil {
			return nil, &ValidationError{Faults: []Fault{{Key: e.Key, Path: pathOf(e.Key), Reason: fault.Reason}}}
		}
	}
	for i, k := range sections[KindFlag].kids {
		sections[KindFlag].kids[i].node = *flags[k.name]
	}
	root := node{kind: objectNode, kids: []kid{{name: "flags", node: *sections[KindFlag]}}}
	if n := sections[KindEvaluator]; len(n.kids) > 0 {
		root.kids = append(root.kids, kid{name: "$evaluators", node: *n})
	}
	if n := sections[KindMetadata]; len(n.kids) > 0 {
		root.kids = append(root.kids, kid{name: "metadata", node: *n})
	}
	var out bytes.Buffer
	if err := json.Indent(&out, root.canonical(), "", "  "); err != nil {
		return nil, fmt.Errorf("flags: export: %w", err)
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// place puts one entry into its section. Flags sort before overrides.
func place(sections map[Kind]*node, flags map[string]*node, key EntryKey, n node) *Fault {
	if key.Kind != KindOverride {
		switch {
		case sections[key.Kind] == nil:
			return &Fault{Reason: "an entry of unknown kind cannot be exported"}
		case key.Kind == KindFlag && n.kind != objectNode:
			return &Fault{Reason: "a flag that is no object cannot be exported"}
		}
		sections[key.Kind].kids = append(sections[key.Kind].kids, kid{name: key.Name, node: n})
		if key.Kind == KindFlag {
			flags[key.Name] = &n
		}
		return nil
	}
	flag, variant := flags[key.Name], n.member("variant")
	if flag == nil || variant == nil {
		return &Fault{Reason: "an override without its flag or variant cannot be exported"}
	}
	overrides := flag.member(overridesField)
	if overrides == nil {
		flag.kids = append(flag.kids, kid{name: overridesField, node: node{kind: objectNode}})
		overrides = &flag.kids[len(flag.kids)-1].node
	}
	overrides.kids = append(overrides.kids, kid{name: key.Entity, node: *variant})
	return nil
}

// pathOf returns where an entry stands in a flag file.
func pathOf(key EntryKey) string {
	switch key.Kind {
	case KindEvaluator:
		return "$.$evaluators" + stepName(key.Name)
	case KindMetadata:
		return "$.metadata" + stepName(key.Name)
	case KindOverride:
		return "$.flags" + stepName(key.Name) + stepName(overridesField) + stepName(key.Entity)
	default:
		return "$.flags" + stepName(key.Name)
	}
}

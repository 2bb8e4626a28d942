package flags

// Merge returns the definition changed by a JSON merge patch (RFC 7396): objects are
// merged member by member, null takes a member away, all else replaces what was there.
// The error is a *ValidationError, for text that is not strict JSON or not an object.
func (d Definition) Merge(patch []byte) (Definition, error) {
	p, err := ParseDefinition(patch)
	if err != nil {
		return d, err
	}
	return Definition{merged(d.fields, p.fields)}, nil
}

func merged(target, patch []kid) []kid {
	out := make([]kid, 0, len(target)+len(patch))
	place := make(map[string]int, len(target)+len(patch)) // a search for each would make long patches slow
	for _, k := range target {
		place[k.name] = len(out)
		out = append(out, k)
	}
	gone := 0
	for _, k := range patch {
		at, there := place[k.name]
		switch {
		case k.kind == nullNode && !there:
			continue
		case k.kind == nullNode:
			out[at].node, gone = node{}, gone+1
			continue
		case !there:
			at = len(out)
			out = append(out, kid{name: k.name})
		}
		if k.kind == objectNode {
			var below []kid
			if out[at].kind == objectNode {
				below = out[at].kids
			}
			k.kids = merged(below, k.kids) // also where there was no object: nulls in it mean nothing
		}
		out[at].node = k.node
	}
	if gone == 0 {
		return out
	}
	kept := out[:0]
	for _, k := range out {
		if k.kind != 0 {
			kept = append(kept, k)
		}
	}
	return kept
}

package vendorformat

import (
	"encoding/json"
	"slices"
)

// variant makes a second flag of the variants of a feature: what getVariant answers,
// while the feature itself is what isEnabled does. Both must agree on who is in, so
// the conditions are the same, hashes included.
func (u *unleashTranslation) variant(path string, feature *draft, common []unleashVariant, ways []way, open bool) {
	lists := slices.Clone(ways)
	if open {
		lists = append(lists, way{when: true, place: "variants"})
	}
	for i := range lists {
		if len(lists[i].variants) == 0 {
			lists[i].variants = common
		}
	}
	if !slices.ContainsFunc(lists, func(w way) bool { return len(w.variants) > 0 }) {
		return
	}
	d := u.newDraft(feature.key + ".variant")
	feature.note("", "its variants are a flag of their own, %s", d.key)
	d.about = feature.about
	d.broken, d.off = feature.broken, feature.off && !feature.broken
	v := unleashValues{kind: payloadKind(lists)}
	for _, w := range lists {
		v.add(d, w.variants)
	}
	v.list = append(v.list, variant{unleashDisabled, v.none()})
	d.variants = v.list
	d.offAs, d.other = unleashDisabled, unleashDisabled
	d.alike()
	for _, w := range lists {
		u.wayOf(d, w)
	}
	d.keep(path)
}

// unleashDisabled is the variant of whoever is not in.
const unleashDisabled = "disabled"

// wayOf adds overrides and shares of a strategy.
func (u *unleashTranslation) wayOf(d *draft, w way) {
	var shares []share
	b := by{}
	for i, v := range w.variants {
		if v.Weight < 0 || v.Weight > 1_000_000 {
			u.fault("$", "feature variant %q has weight %d; a weight is from 0 to 1000", v.Name, v.Weight)
			return
		}
		shares = append(shares, share{v.Name, v.Weight})
		if i == 0 && v.Stickiness != "" {
			b = u.sticky(d, w.place, v.Stickiness)
		}
		for _, o := range v.Overrides {
			if len(o.Values) > 0 {
				d.when(both(w.when, oneOf(unleashName(o.ContextName), textual(o.Values...))), v.Name)
			}
		}
	}
	serve := split(merged(shares), b)
	if _, plain := serve.(string); !plain && serve != nil {
		d.note(w.place, unleashHash)
		if b.attribute != "" {
			d.note(w.place, "who lacks attribute %q gets a variant by chance there, %q here", b.attribute, unleashDisabled)
			serve = operation("if", attribute(b.attribute), serve, unleashDisabled)
		}
	}
	if serve == nil {
		serve = unleashDisabled
	}
	d.when(w.when, serve)
}

func both(a, b any) any {
	switch a {
	case any(true):
		return b
	case any(false):
		return false
	}
	return all(a, b)
}

// unleashValues are the values of variants: payloads where all are of one type, else
// their names.
type unleashValues struct {
	kind string
	list []variant
}

func payloadKind(ways []way) string {
	kind := ""
	for _, w := range ways {
		for _, v := range w.variants {
			k := "name"
			if v.Payload != nil {
				k = v.Payload.Type
			}
			switch {
			case kind != "" && kind != k:
				return "name"
			case k == "json" && kindOf(json.RawMessage(v.Payload.Value)) != "object", k == "number" && kindOf(json.RawMessage(v.Payload.Value)) != "number",
				(k == "json" || k == "number") && !json.Valid([]byte(v.Payload.Value)):
				return "name"
			}
			kind = k
		}
	}
	return kind
}

func (u *unleashValues) add(d *draft, list []unleashVariant) {
	for _, v := range list {
		text := v.Name
		if u.kind != "name" {
			text = v.Payload.Value
		} else if v.Payload != nil {
			d.note("variant "+v.Name, "its value is its name: the payloads are not all of one type, or not what their type says")
		}
		value := json.RawMessage(text)
		if u.kind != "json" && u.kind != "number" {
			value, _ = json.Marshal(text) // a string always has a JSON form
		}
		i := slices.IndexFunc(u.list, func(have variant) bool { return have.name == v.Name })
		switch {
		case v.Name == unleashDisabled:
			d.leaveOut("variant %q is called what those get who are not in", v.Name)
		case i < 0:
			u.list = append(u.list, variant{v.Name, value})
		case string(u.list[i].value) != string(value):
			d.lose("variant "+v.Name, "it has another payload in another strategy")
		}
	}
}

// none is the value of whoever is not in.
func (u *unleashValues) none() json.RawMessage {
	switch u.kind {
	case "json":
		return json.RawMessage("{}")
	case "number":
		return json.RawMessage("0")
	case "name":
		return json.RawMessage(`"disabled"`)
	}
	return json.RawMessage(`""`)
}

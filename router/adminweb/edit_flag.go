package adminweb

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// editDefault makes another variant the default.
func (v *visit) editDefault(f *form, key string) (string, error) {
	name := f.Value("variant")
	return v.editDefinition(f, key, func(d flags.Definition) flags.Definition {
		if _, ok := d.Variant(name); !ok {
			f.refuse("variant", "There is no variant %q.", name)
		}
		return d.WithDefaultVariant(name)
	}, at("variant"))
}

// editRollout serves variants by share.
func (v *visit) editRollout(f *form, key string) (string, error) {
	shares := f.shares()
	by := f.line("by", maxLine)
	return v.editDefinition(f, key, func(d flags.Definition) flags.Definition {
		for _, s := range shares {
			if _, ok := d.Variant(s.Variant); !ok {
				f.refuse("weight", "There is no variant %q.", s.Variant)
			}
		}
		d, err := d.WithRollout(shares, by)
		if err != nil {
			f.refuse("weight", "%v", err)
		}
		return d
	}, at("weight"))
}

// shares reads the weights of a rollout: percent, which sum to 100.
func (f *form) shares() []flags.Share {
	names, weights := f.Values("variant"), f.Values("weight")
	if len(names) != len(weights) || len(names) < 2 {
		f.refuse("weight", "A rollout is between two variants at least, each with its share.")
		return nil
	}
	var shares []flags.Share
	sum := 0
	for i, name := range names {
		n, err := strconv.Atoi(strings.TrimSpace(weights[i]))
		if err != nil || n < 0 || n > 100 {
			f.refuse("weight", "The share of %q is no whole number from 0 to 100.", name)
			return nil
		}
		sum += n
		shares = append(shares, flags.Share{Variant: name, Weight: n})
	}
	if sum != 100 {
		f.refuse("weight", "The shares sum to %d %%, not to 100 %%.", sum)
	}
	return shares
}

// editVariants changes the values of variants, adds and removes some.
func (v *visit) editVariants(f *form, key string) (string, error) {
	names, values := f.Values("variant"), f.Values("value")
	removed := map[string]bool{}
	for _, name := range f.Values("remove") {
		removed[name] = true
	}
	if len(names) != len(values) {
		f.refuse("value", "Each variant has a value.")
		names = nil
	}
	return v.editDefinition(f, key, func(d flags.Definition) flags.Definition {
		t := d.Type()
		for i, name := range names {
			if removed[name] {
				d = d.WithoutVariant(name)
				continue
			}
			d = f.withVariant(d, t, "value", name, values[i])
		}
		if name := f.line("new-name", flags.MaxKeyBytes); name != "" {
			if _, there := d.Variant(name); there {
				f.refuse("new-name", "There is a variant %q already.", name)
			}
			d = f.withVariant(d, t, "new-value", name, f.Value("new-value"))
		} else if f.Value("new-value") != "" {
			f.refuse("new-name", "A value needs the name of its variant.")
		}
		return d
	}, at("value"))
}

func (f *form) withVariant(d flags.Definition, t flags.Type, field, name, text string) flags.Definition {
	value, err := flags.ParseVariant(t, text)
	if err != nil {
		f.refuse(field, "%s: %s", name, faultText(err))
		return d
	}
	d, err = d.WithVariant(name, value)
	if err != nil {
		f.refuse(field, "%s: %s", name, faultText(err))
	}
	return d
}

// editAbout changes what people are told of a flag.
func (v *visit) editAbout(f *form, key string) (string, error) {
	a := f.about()
	return v.editDefinition(f, key, func(d flags.Definition) flags.Definition {
		return d.WithAbout(a)
	}, aboutField)
}

// about reads the fields that tell people of a flag.
func (f *form) about() flags.About {
	a := flags.About{
		Description: strings.TrimSpace(strings.ReplaceAll(f.Value("description"), "\r\n", "\n")),
		Owner:       f.line("owner", flags.MaxAboutBytes), Kind: f.Value("kind"),
		Expires: f.line("expires", maxLine), Permanent: f.Value("permanent") != "",
	}
	for tag := range strings.SplitSeq(f.line("tags", flags.MaxAboutBytes), ",") {
		if tag = strings.TrimSpace(tag); tag != "" {
			a.Tags = append(a.Tags, tag)
		}
	}
	f.checkText("description", a.Description, maxText, true)
	if a.Kind != "" && !slices.Contains(flags.AboutKinds(), a.Kind) {
		f.refuse("kind", "Want one of %s.", strings.Join(flags.AboutKinds(), ", "))
	}
	if _, err := time.Parse(time.DateOnly, a.Expires); a.Expires != "" && err != nil {
		f.refuse("expires", "Want a day, such as 2027-03-31.")
	}
	if a.Expires != "" && a.Permanent {
		f.refuse("expires", "A permanent flag does not expire.")
	}
	return a
}

func aboutField(fault flags.Fault) string {
	for _, name := range []string{"owner", "tags", "kind", "expires", "permanent", "description"} {
		if strings.HasSuffix(fault.Path, "."+name) {
			return name
		}
	}
	return ""
}

// restore brings back an earlier definition. A flag that was deleted is made again.
func (v *visit) restore(f *form, key string) (string, error) {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	b, _, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	to := f.version("version")
	if len(f.problems) > 0 {
		return "", nil
	}
	data, err := b.trail.at(ctx, v.opts.Store, flags.FlagKey(key), to)
	if err != nil {
		return "", err
	}
	if f.Value("reason") == "" {
		f.values.Set("reason", "back to revision "+strconv.FormatUint(to.Revision, 10))
	}
	return v.editEntry(f, flags.FlagKey(key), at(""), func([]byte) []byte { return data })
}

// deleteFlag deletes a flag with its overrides.
func (v *visit) deleteFlag(f *form, key string) (string, error) {
	if f.Value("confirm") != key {
		f.refuse("confirm", "Type the key of the flag to delete it.")
		return "", nil
	}
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	_, c, err := v.open(ctx)
	if err != nil {
		return "", err
	}
	var with []flags.Mutation
	for _, e := range c.entries(flags.KindOverride, func(k flags.EntryKey) bool { return k.Name == key }) {
		with = append(with, flags.Mutation{Key: e.Key})
	}
	return v.editEntry(f, flags.FlagKey(key), at(""), func([]byte) []byte { return nil }, with...)
}

// at says that all faults belong to one field.
func at(field string) func(flags.Fault) string { return func(flags.Fault) string { return field } }

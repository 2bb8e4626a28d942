package adminweb

import (
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// row is what lists show of one flag. It is immutable once it is in a catalog.
type row struct {
	flags.About
	Key, Type string
	Enabled   bool
	Default   string // variant; "" for the caller's own
	Next      string // the other variant, of a flag with two
	Rule      string // what the rule does, in a few words; "" for none
	Overrides int
	Revision  uint64
	Fault     string // why the definition cannot be read

	text string // what a search looks into, lower case
}

func rowOf(e flags.Entry) *row {
	r := &row{Key: e.Key.Name, Revision: e.Revision}
	def, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		r.Fault, r.text = err.Error(), strings.ToLower(r.Key)
		return r
	}
	r.About, r.Type, r.Enabled = def.About(), def.Type().String(), def.Enabled()
	r.Default, _ = def.DefaultVariant()
	if variants := def.Variants(); len(variants) == 2 && r.Default != "" {
		r.Next = variants[0].Name
		if r.Next == r.Default {
			r.Next = variants[1].Name
		}
	}
	r.Rule = ruleInWords(def)
	r.text = strings.ToLower(strings.Join([]string{r.Key, r.Description, r.Owner, strings.Join(r.Tags, " ")}, "\n"))
	return r
}

func (r *row) state() string {
	if r.Enabled {
		return "enabled"
	}
	return "disabled"
}

// Expired reports whether the flag's last day has passed.
func (r *row) Expired() bool { return r.About.Expired(time.Now()) }

// ruleInWords says what a rule does, as short as a list allows.
func ruleInWords(def flags.Definition) string {
	if def.Targeting() == nil {
		return ""
	}
	shares, _, ok := def.Rollout()
	if !ok {
		return "by rule"
	}
	whole := 0
	for _, s := range shares {
		whole += s.Weight
	}
	var parts []string
	for _, s := range shares {
		parts = append(parts, s.Variant+" "+percent(s.Weight, whole))
	}
	return strings.Join(parts, " · ")
}

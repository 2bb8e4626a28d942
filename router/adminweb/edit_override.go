package adminweb

import (
	"errors"

	"github.com/holdfast-flags/holdfast/flags"
)

// setOverride gives one entity a variant of its own.
func (v *visit) setOverride(f *form, key string) (string, error) {
	entity, name := f.name("entity"), f.Value("variant")
	data, err := flags.OverrideBytes(name)
	if err != nil {
		f.refuse("variant", "%s", faultText(err))
	}
	return v.editEntry(f, flags.OverrideKey(key, entity), at("variant"), func([]byte) []byte { return data })
}

// clearOverride takes an entity's own variant away.
func (v *visit) clearOverride(f *form, key string) (string, error) {
	return v.editEntry(f, flags.OverrideKey(key, f.name("entity")), at(""), func([]byte) []byte { return nil })
}

// faultText says what is wrong with a text, without the place in a file that there
// is none of.
func faultText(err error) string {
	var invalid *flags.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Faults) == 0 {
		return err.Error()
	}
	return invalid.Faults[0].String()
}

package adminweb

import (
	"errors"
	"strings"

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
	return inWordsOfThePage.Replace(invalid.Faults[0].String())
}

// inWordsOfThePage turns what is said of files into what is said here, where shared rules
// are called segments and have a page of their own.
var inWordsOfThePage = strings.NewReplacer(
	`unknown evaluator "`, `unknown segment "`, `"; define it under $evaluators`, `"; make it on the page Segments first`,
	`$ref takes the name of an evaluator, this`, `$ref takes the name of a segment, this`,
	`an evaluator cannot refer to another;`, `a segment cannot refer to another;`, `an evaluator without a rule;`, `a segment without a rule;`,
	`evaluator "`, `segment "`,
)

// reason is what is wrong with a field, whose place is where it is said.
func reason(fault flags.Fault) string { return inWordsOfThePage.Replace(fault.Reason) }

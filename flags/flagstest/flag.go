package flagstest

import (
	"fmt"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
)

// Flag is a flag as a test states it. Make one with Bool, String, Int, Float,
// Object or Definition.
type Flag struct {
	key        string
	definition []byte        // as given, for Definition
	values     []flags.Value // the variants; the first is the default
	disabled   bool
	overrides  []override
	err        error
}

type override struct {
	entity string
	value  flags.Value
}

func simple(key string, v flags.Value) Flag { return Flag{key: key, values: []flags.Value{v}} }

// Bool is a boolean flag that is value for everybody.
func Bool(key string, value bool) Flag { return simple(key, flags.BoolValue(value)) }

// String is a string flag that is value for everybody.
func String(key, value string) Flag { return simple(key, flags.StringValue(value)) }

// Int is a number flag that is value for everybody.
func Int(key string, value int) Flag { return simple(key, flags.NumberValue(float64(value))) }

// Float is a number flag that is value for everybody.
func Float(key string, value float64) Flag { return simple(key, flags.NumberValue(value)) }

// Object is an object flag that is value for everybody: a map, or a flags.Value.
func Object(key string, value any) Flag {
	v, err := flags.ValueOf(value)
	return Flag{key: key, values: []flags.Value{v}, err: err}
}

// Definition is a flag as flagd defines it, in JSON, for tests of targeting.
func Definition(key, text string) Flag { return Flag{key: key, definition: []byte(text)} }

// For returns the flag with another value for one targeting key, of the same type.
// For a flag of Definition the value is the name of a variant.
func (f Flag) For(entity string, value any) Flag {
	v, err := flags.ValueOf(value)
	if err != nil && f.err == nil {
		f.err = err
	}
	f.overrides = append(f.overrides[:len(f.overrides):len(f.overrides)], override{entity, v})
	return f
}

// Disabled returns the flag switched off: reads get their own default.
func (f Flag) Disabled() Flag {
	f.disabled = true
	return f
}

// changes puts flags into the form of a commit.
func changes(t testing.TB, given []Flag) []flags.Mutation {
	t.Helper()
	var all []flags.Mutation
	for _, f := range given {
		own, err := f.mutations()
		if err != nil {
			t.Fatalf("flagstest: flag %q: %v", f.key, err)
		}
		all = append(all, own...)
	}
	return all
}

func (f Flag) mutations() ([]flags.Mutation, error) {
	if f.err != nil {
		return nil, f.err
	}
	def, err := flags.ParseDefinition(f.definition)
	if f.definition == nil {
		def, err = flags.Definition{}.WithDefaultVariant(variantName(0)), nil
	}
	all := []flags.Mutation{{Key: flags.FlagKey(f.key)}}
	for _, o := range f.overrides {
		name := o.value.Str()
		if f.definition == nil {
			f.values = append(f.values[:len(f.values):len(f.values)], o.value)
			name = variantName(len(f.values) - 1)
		}
		text := `{"variant":` + flags.StringValue(name).String() + `}`
		all = append(all, flags.Mutation{Key: flags.OverrideKey(f.key, o.entity), Bytes: []byte(text)})
	}
	for i, v := range f.values {
		if err == nil {
			def, err = def.WithVariant(variantName(i), []byte(v.String()))
		}
	}
	if err != nil {
		return nil, err
	}
	all[0].Bytes = def.WithEnabled(!f.disabled && def.Enabled()).Bytes()
	return all, nil
}

func variantName(i int) string { return fmt.Sprintf("value-%d", i+1) }

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/holdfast-flags/holdfast/internal/spelling"
)

// sayWhich words an error of the flag library for people: what was probably meant,
// and what a value should look like.
func sayWhich(f *pflag.FlagSet, err error) error {
	var unknown *pflag.NotExistError
	var invalid *pflag.InvalidValueError
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() == "":
		return fmt.Errorf("unknown flag: --%s%s; see flagrouter --help", unknown.GetSpecifiedName(), meant(f, unknown.GetSpecifiedName(), "--"))
	case errors.As(err, &invalid):
		return badValue("--"+invalid.GetFlag().Name, invalid.GetFlag(), invalid.GetValue())
	}
	return err
}

// meant is the option that an unknown one was probably typed for.
func meant(f *pflag.FlagSet, name, dashes string) string {
	var known []string
	f.VisitAll(func(fl *pflag.Flag) { known = append(known, fl.Name) })
	if best, ok := spelling.Nearest(name, known); ok {
		return "; did you mean " + dashes + best + "?"
	}
	return ""
}

// badValue is the error of a value that is not of the option's type.
func badValue(where string, fl *pflag.Flag, value string) error {
	want := "a " + fl.Value.Type()
	switch fl.Value.Type() {
	case "bool":
		want = "true or false"
	case "float64":
		want = "a number"
	}
	return fmt.Errorf("%s %q: want %s", where, value, want)
}

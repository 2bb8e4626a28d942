package storetest

import "testing"

// CheckExceptions is what Run does with Harness.Except.
func CheckExceptions(t testing.TB, except map[string]string) { checkExceptions(t, Cases(), except) }

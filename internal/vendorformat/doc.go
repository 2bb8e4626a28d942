// Package vendorformat reads the flags of other products (LaunchDarkly, Unleash,
// GO Feature Flag, Flipt) as flagd definitions, for an import.
//
// It is a translation with a conscience: what has the same meaning here is
// translated; what has nearly the same is translated with a [Note] that says what
// differs, and where; what has no meaning here is lost, and reading fails with a
// list of every such place, unless it is told to go on. A flag that has lost
// something is then read as switched off: whoever would have been kept out by the
// lost rule must not be let in by its absence.
//
// Reading is pure: bytes in, definitions and notes out. Nothing is looked up.
package vendorformat

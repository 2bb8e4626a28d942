// Package deptest holds the table of who may import whom, and the house rules
// that a machine can check. It has tests only: a new edge in the table is a
// decision, not an accident.
package deptest

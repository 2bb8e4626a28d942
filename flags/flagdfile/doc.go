// Package flagdfile reads and writes flag files as flagd defines them, in JSON
// or YAML.
//
// What the fields mean, and what is a fault, is package flags' to say; this
// package only turns one notation into the other, and keeps the places in a YAML
// file so that faults point into what the user wrote.
package flagdfile

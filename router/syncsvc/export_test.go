package syncsvc

import "github.com/holdfast-flags/holdfast/flags"

// Exporter keeps what it has made of a set for the next one, as a service does.
type Exporter = exporter

// Document returns the document of a set.
func (x *exporter) Document(s *flags.Snapshot) []byte { return x.document(s) }

// InTurn returns opts without the guard that streams do not wait for one another.
func (o Options) InTurn() Options {
	o.turn = make(chan struct{}, 1)
	return o
}

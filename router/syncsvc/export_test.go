package syncsvc

import "github.com/holdfast-flags/holdfast/flags"

// Exporter keeps what it has made of a set for the next one, as a service does.
type Exporter = exporter

// Document returns the document of a set.
func (x *exporter) Document(s *flags.Snapshot) []byte { return x.document(s) }

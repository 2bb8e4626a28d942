package flags

// The guards of a client, switched off one at a time by the twins of tests.

// WithoutVersionGuard installs older versions too.
func WithoutVersionGuard(o Options) Options { o.guards.Version = true; return o }

// WithoutLineageGuard installs other lineages too.
func WithoutLineageGuard(o Options) Options { o.guards.Lineage = true; return o }

// WithoutStreamGuard takes an opened stream for a success.
func WithoutStreamGuard(o Options) Options { o.guards.Stream = true; return o }

// WithoutDigestGuard installs what does not add up.
func WithoutDigestGuard(o Options) Options { o.guards.Digest = true; return o }

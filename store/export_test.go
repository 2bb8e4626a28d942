package store

// The guards of decorators, switched off one at a time by the twins of tests.

// WithoutLaterCall lets callers join calls that began before they asked.
func WithoutLaterCall(o CoalesceOptions) CoalesceOptions { o.sabotage.joinAny = true; return o }

// WithoutOwnContext ends a shared call with its first caller.
func WithoutOwnContext(o CoalesceOptions) CoalesceOptions { o.sabotage.endFirst = true; return o }

// WithoutBound lets every call through a bulkhead.
func WithoutBound(o SlotsOptions) SlotsOptions { o.unbounded = true; return o }

package openfeature

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

// Name is the provider's name in its metadata and events.
const Name = "holdfast"

// Options configures a [Provider]. The zero value is what production should run with.
type Options struct {
	InitTimeout time.Duration // how long Init waits for a first set; default 5 s, negative: not at all. A context that ends sooner counts
	Hooks       []of.Hook     // of the provider, which the SDK runs innermost. Default none
	// WithoutMetadata leaves the FlagMetadata of answers empty, which the SDK would copy for each read: readers and
	// the hooks of the SDK then see neither the metadata of flag and set, nor MetadataRevision and MetadataFreshness.
	// Values, variants, reasons and errors are the same, and so are the provider's state and events. Default: with metadata.
	WithoutMetadata bool
	// Track takes what applications track. Default: a debug record in Logger, without the evaluation context.
	Track  func(ctx context.Context, event string, ec of.EvaluationContext, details of.TrackingEventDetails)
	Logger *slog.Logger // default slog.Default()

	lossy bool // twin tests: changes are dropped while others wait to be told
}

// Provider answers OpenFeature's reads from a client. It may be registered for any
// number of domains. All methods are safe for concurrent use.
type Provider struct {
	client   *flags.Client
	opts     Options
	metadata atomic.Pointer[metadataCache]
	sharing  sharing

	mu     sync.Mutex
	events chan of.Event // of the run that is on, or of the next
	run    *run          // nil: none
}

var (
	_ of.FeatureProvider          = (*Provider)(nil)
	_ of.ContextAwareStateHandler = (*Provider)(nil)
	_ of.EventHandler             = (*Provider)(nil)
	_ of.Tracker                  = (*Provider)(nil)
)

// NewProvider returns a provider over client with default options. The client stays the
// caller's: close it after the SDK was shut down.
func NewProvider(client *flags.Client) *Provider { return New(client, Options{}) }

// New returns a provider over client.
func New(client *flags.Client, opts Options) *Provider {
	if opts.InitTimeout == 0 {
		opts.InitTimeout = 5 * time.Second
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	opts.Hooks = slices.Clone(opts.Hooks)
	return &Provider{client: client, opts: opts, events: make(chan of.Event)}
}

// Metadata returns the provider's name.
func (p *Provider) Metadata() of.Metadata { return of.Metadata{Name: Name} }

// Hooks returns the hooks of the options.
func (p *Provider) Hooks() []of.Hook { return p.opts.Hooks }

// Track hands an event to Options.Track, or to the log.
func (p *Provider) Track(ctx context.Context, event string, ec of.EvaluationContext, details of.TrackingEventDetails) {
	if p.opts.Track != nil {
		p.opts.Track(ctx, event, ec, details)
		return
	}
	p.opts.Logger.DebugContext(ctx, "openfeature: tracked", "event", event, "value", details.Value(), "details", details.Attributes())
}

package standard

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store/filestore"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/mongostore"
	"github.com/holdfast-flags/holdfast/store/reststore"
)

// origin is what a primary or secondary must be able to do.
type origin interface {
	flags.Source
	flags.Watcher
	io.Closer
}

// driver is an opened origin.
type driver struct {
	origin
	redacted  string        // the URL as it may be shown
	timeout   time.Duration // to the first answer
	reconnect func()        // has the next call meet the server itself; may be nil
	polled    bool          // a database: asked for its head, as it pushes nothing
}

// openDriver opens the origin that a URL names. Nothing is waited for: whether
// the other side is there shows in calls. An error is one of the URL.
func (c *Config) openDriver(ctx context.Context, role, rawURL string, timeout time.Duration) (driver, error) {
	d := driver{redacted: redact.URL(rawURL), timeout: timeout}
	scheme, path, _ := strings.Cut(rawURL, ":")
	switch scheme {
	case "grpc", "grpcs":
		s, err := grpcstore.Open(rawURL, &grpcstore.Options{
			Identity: identity(), APIKey: c.APIKey, APIKeyFrom: c.key, TLS: c.TLS, TLSFrom: c.tlsFrom, HeadTimeout: timeout, Dial: c.dialTCP(),
		})
		if err != nil {
			return d, fmt.Errorf("%w: %s: %w", errConfig, role, err)
		}
		d.origin, d.reconnect = s, s.ResetConnectBackoff
	case "mongodb", "mongodb+srv":
		s, err := databases.get(rawURL, timeout, func() (origin, error) {
			return mongostore.Open(ctx, rawURL, &mongostore.Options{ReadOnly: true, HeadTimeout: timeout, Logger: c.Logger})
		})
		if err != nil {
			return d, fmt.Errorf("%w: %s: %w", errConfig, role, err)
		}
		d.origin, d.polled = s, true
	case "file":
		if path = strings.TrimPrefix(path, "//"); path == "" {
			return d, fmt.Errorf("%w: %s %q names no file; want file:PATH", errConfig, role, d.redacted)
		}
		d.origin = filestore.OpenFlagd(path, c.Set, &filestore.FlagdOptions{Logger: c.Logger})
	case "rest+http", "rest+https":
		d.timeout = cmp.Or(timeout, reststore.DefaultTimeout)
		s, err := reststore.Open(rawURL, &reststore.Options{
			Identity: reststore.Identity(identity()), APIKey: c.APIKey, APIKeyFrom: c.key, TLS: c.TLS, TLSFrom: c.tlsFrom, HeadTimeout: d.timeout, Dial: c.dialTCP(),
		})
		if err != nil {
			return d, fmt.Errorf("%w: %s %q: %w", errConfig, role, d.redacted, err)
		}
		d.origin, d.reconnect = s, s.ResetConnections
	default:
		return d, fmt.Errorf("%w: %s %q: unknown scheme; want grpc://HOST:PORT, rest+http://HOST:PORT (both also with TLS: grpcs, rest+https), "+
			"mongodb://HOST/DATABASE or file:PATH", errConfig, role, d.redacted)
	}
	return d, nil
}

// dialTCP returns Dial in the form that drivers take, or nil.
func (c *Config) dialTCP() func(context.Context, string) (net.Conn, error) {
	if c.Dial == nil {
		return nil
	}
	return func(ctx context.Context, address string) (net.Conn, error) { return c.Dial(ctx, "tcp", address) }
}

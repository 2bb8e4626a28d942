// Package sessionhttp carries the revision tokens of a session between services
// that speak HTTP, so that nobody in it reads older flags than the one before.
//
// A service wraps its handler in [Handler] and the transport it calls others with in
// [Transport]. Then the header Holdfast-Revision names, on a request, the versions that its
// reads must not be older than, and on a response, the versions that it was answered from:
//
//	Holdfast-Revision: shop@0.57~k7q2m9xc, billing@0.12~bwu3c8vd
//
// Tokens are no secrets and are not signed. One that was made up can only make reads of its
// own request wait, for at most what AtLeast of package flags says; no answer is ever refused for it.
package sessionhttp

import (
	"log/slog"
	"net/http"

	"github.com/holdfast-flags/holdfast/internal/session"
)

// Header is the name of the header: a list of tokens, one for each flag set,
// separated by commas.
const Header = session.Header

// Options configure both directions. The zero value is ready for production.
//
// At most 4 KiB and 16 tokens of a message are looked at. What is no token or is beyond
// that is ignored: it is told to Ignored and logged, at most once per 10 s, with a running count.
type Options struct {
	Logger  *slog.Logger       // default slog.Default()
	Ignored func(reason error) // for metrics; reason wraps flags.ErrInvalid or flags.ErrTooLarge; may be called concurrently
}

func (o *Options) carrier() *session.Carrier {
	if o == nil {
		return &session.Carrier{}
	}
	return &session.Carrier{Logger: o.Logger, Ignored: o.Ignored}
}

// Handler returns next in a session: reads with the request's context are at least
// at the versions that the request names, or report that they are not, and the
// response names what they were answered from. opts may be nil.
//
// Headers leave with the first byte of a response, so next reads its flags before
// it begins to write. What it reads later is known to its own session only.
func Handler(next http.Handler, opts *Options) http.Handler {
	c := opts.carrier()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := c.Begin(r.Context(), r.Header.Values(Header))
		out := &response{ResponseWriter: w, tokens: func() string { return c.Response(ctx) }}
		next.ServeHTTP(out, r.WithContext(ctx))
		out.begin()
	})
}

// Transport returns a transport that names, on each request, what the session of its
// context has seen and demands, and takes what the response names into that session. A
// request that names tokens already is sent as it is. base may be nil for
// [http.DefaultTransport], opts may be nil.
//
// It tells whoever it calls the names of the sets: use it for services of your own.
func Transport(base http.RoundTripper, opts *Options) http.RoundTripper {
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{base: base, carrier: opts.carrier()}
}

type transport struct {
	base    http.RoundTripper
	carrier *session.Carrier
}

// RoundTrip implements http.RoundTripper, which must not change the request it is given.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	if len(r.Header.Values(Header)) == 0 {
		if tokens := t.carrier.Request(ctx); tokens != "" {
			r = r.Clone(ctx)
			r.Header.Set(Header, tokens)
		}
	}
	resp, err := t.base.RoundTrip(r)
	if err == nil {
		t.carrier.Learn(ctx, resp.Header.Values(Header))
	}
	return resp, err
}

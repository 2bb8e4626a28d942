// Package cors lets web pages of named origins call what the router evaluates:
// OFREP and the flagd evaluation protocols, which browsers speak too. Without it
// a browser keeps answers from any page that does not come from the router itself.
package cors

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// ErrOrigin: text that is not an origin.
var ErrOrigin = errors.New("cors: not an origin")

// preflightFor is for how many seconds a browser need not ask again.
const preflightFor = 3600

// exposed are the headers of answers that scripts may read: the validator and the
// revision of OFREP, and what gRPC-Web has in headers instead of trailers.
var exposed = []string{"ETag", "Retry-After", "Holdfast-Revision", "Grpc-Status", "Grpc-Message", "Grpc-Status-Details-Bin"}

// Handler lets pages of the given origins call next. An origin is as a browser says
// it, scheme://host or scheme://host:port; one * in it stands for anything, and *
// alone for every origin. Without origins it returns next as it is: no page may.
//
// Every request header is allowed, since any may be mapped into the evaluation
// context. Cookies are not: nothing here looks at them.
func Handler(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return cors.New(cors.Options{
		AllowedOrigins: origins,
		AllowedMethods: []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"*"},
		ExposedHeaders: exposed,
		MaxAge:         preflightFor,
	}).Handler(next)
}

// Check returns an error wrapping ErrOrigin for text that no browser says as an origin.
func Check(origin string) error {
	if origin == "*" {
		return nil
	}
	bad := func(why string) error {
		return fmt.Errorf("%w: %q: %s; want scheme://host, scheme://host:port or *", ErrOrigin, origin, why)
	}
	if strings.Count(origin, "*") > 1 {
		return bad("more than one *")
	}
	u, err := url.Parse(strings.Replace(origin, "*", "0", 1)) // a name and a port, whichever it stands for
	switch {
	case err != nil:
		return bad("malformed")
	case u.Scheme == "" || u.Host == "":
		return bad("scheme or host is missing")
	case u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return bad("more than scheme, host and port")
	default:
		return nil
	}
}

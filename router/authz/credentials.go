package authz

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
)

// Credentials are what a caller shows. All fields may be empty.
type Credentials struct {
	// Authorization is the value of the header of that name.
	Authorization string
	// Ticket is what Principal.Ticket returned; Set is the one that it is shown for.
	Ticket, Set string
	// Certificate is the client's, verified.
	Certificate *x509.Certificate
	// Address is the host and port that the call comes from.
	Address string
}

// Certificate returns the client's certificate if it was verified, else nil.
func Certificate(state *tls.ConnectionState) *x509.Certificate {
	if state == nil || len(state.VerifiedChains) == 0 || len(state.VerifiedChains[0]) == 0 {
		return nil
	}
	return state.VerifiedChains[0][0]
}

// authorization reads the header: Authorization, or the X-Api-Key of OFREP. Two values
// are none that anybody could know.
func authorization(h http.Header) string {
	if values := h["Authorization"]; len(values) > 0 {
		return strings.Join(values, ", ")
	}
	if values := h["X-Api-Key"]; len(values) > 0 {
		return "Bearer " + strings.Join(values, ", ")
	}
	return ""
}

// visit is one HTTP request on its way to a handler: what is known of the connection,
// and, once somebody has asked, who it is.
type visit struct {
	certificate *x509.Certificate
	address     string
	end         context.CancelCauseFunc // of the request

	once   sync.Once
	who    Principal
	err    error
	unbind func() bool
}

type visitKey struct{}

// Serve lets Identify know of a request's connection, and ends the request's context
// when who asks loses the right to: the cause then wraps ErrUnauthenticated. It is to be
// around all handlers that ask policy.
func Serve(policy Policy, next http.Handler) http.Handler {
	if _, open := policy.(Open); open {
		return next // nobody loses anything
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, end := context.WithCancelCause(r.Context())
		defer end(nil)
		v := &visit{certificate: Certificate(r.TLS), address: r.RemoteAddr, end: end, unbind: func() bool { return true }}
		defer func() { v.unbind() }()
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, visitKey{}, v)))
	})
}

// Identify returns who makes a request, asking policy once for each. header is the
// request's; ctx is the one that an interceptor of the gRPC server, or Serve, gave to
// the handler.
func Identify(ctx context.Context, policy Policy, header http.Header) (Principal, error) {
	if v, ok := ctx.Value(visitKey{}).(*visit); ok {
		v.once.Do(func() { v.identify(policy, header, shownIn(ctx)) })
		return v.who, v.err
	}
	if p, ok := ctx.Value(principalKey{}).(Principal); ok {
		return p, nil
	}
	s := shownIn(ctx)
	return policy.Authenticate(Credentials{Authorization: authorization(header), Ticket: s.ticket, Set: s.set})
}

func (v *visit) identify(policy Policy, header http.Header, s shown) {
	v.who, v.err = policy.Authenticate(Credentials{
		Authorization: authorization(header), Ticket: s.ticket, Set: s.set, Certificate: v.certificate, Address: v.address,
	})
	if life := v.who.life(); v.err == nil && life != nil {
		v.unbind = context.AfterFunc(life, func() { v.end(context.Cause(life)) })
	}
}

// Bind returns a context that ends with ctx, and when p loses the right to go on: the
// cause then wraps ErrUnauthenticated. stop is to be called in the end.
func Bind(ctx context.Context, p Principal) (bound context.Context, stop func()) {
	life := p.life()
	if life == nil {
		return ctx, func() {}
	}
	ctx, end := context.WithCancelCause(ctx)
	unbind := context.AfterFunc(life, func() { end(context.Cause(life)) })
	return ctx, func() {
		unbind()
		end(nil)
	}
}

// life ends with the principal's rights; nil: they do not end.
func (p Principal) life() context.Context {
	if p.grant == nil {
		return nil
	}
	return p.grant.life
}

// Require lets through to next who may do what the table of permissions demands of a
// route, by its pattern, about no single set; the others get one line of text. It is for
// handlers that do not ask by themselves.
func Require(policy Policy, pattern string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := required(policy, pattern, r); err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func required(policy Policy, pattern string, r *http.Request) error {
	rule, ok := RuleOf(pattern)
	switch {
	case !ok:
		return fmt.Errorf("%w: nobody may ask for %s", ErrDenied, pattern)
	case rule.Public:
		return nil
	}
	who, err := Identify(r.Context(), policy, r.Header)
	if err != nil {
		return err
	}
	return policy.Decide(who, rule.Action, "")
}

func refuse(w http.ResponseWriter, err error) {
	status, often := http.StatusForbidden, new(LimitError)
	switch {
	case errors.As(err, &often):
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", often.Seconds())
	case errors.Is(err, ErrUnauthenticated):
		status = http.StatusUnauthorized
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Error(w, err.Error(), status)
}

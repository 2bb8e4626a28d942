package restapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// problemError is an error that says how it is to be answered.
type problemError struct{ restwire.Problem }

func (e *problemError) Error() string { return e.Title + ": " + e.Detail }

func problem(p restwire.Problem) error { return &problemError{p} }

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{flags.ErrInvalid}, args...)...)
}

// fail answers with a problem. Handlers return an error only before they answer.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := restwire.FromError(err)
	w.Header().Del("ETag") // of the answer that there would have been
	p.Errors = faultsOf(err, r)
	switch own, large, often := new(problemError), new(http.MaxBytesError), new(authz.LimitError); {
	case errors.As(err, &often):
		p = restwire.Plain(http.StatusTooManyRequests, err.Error())
		w.Header().Set("Retry-After", often.Seconds())
	case errors.As(err, &large):
		p = restwire.Plain(http.StatusRequestEntityTooLarge, err.Error())
	case errors.As(err, &own):
		p = own.Problem
	case errors.Is(err, authz.ErrUnauthenticated):
		p = restwire.Plain(http.StatusUnauthorized, err.Error())
		w.Header().Set("WWW-Authenticate", "Bearer")
	case errors.Is(err, authz.ErrDenied):
		p = restwire.Plain(http.StatusForbidden, err.Error())
	}
	if p.Status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	if p.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
		s.opts.Logger.WarnContext(r.Context(), "rest: cannot answer", "path", r.URL.Path, "status", p.Status, "err", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, restwire.ProblemType, p.Status, p)
}

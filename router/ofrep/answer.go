package ofrep

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// Header values that are the same for every answer. They are put into header maps as
// they are, which saves the memory of a list each; nobody appends to them.
var (
	jsonType = []string{"application/json"}
	nosniff  = []string{"nosniff"}
	noStore  = []string{"no-store"}
)

// fail answers with what went wrong. Handlers return an error only before they answer.
func (s *Service) fail(w http.ResponseWriter, r *http.Request, err error, key string) {
	no, often := refusalOf(err), new(authz.LimitError)
	switch {
	case errors.As(err, &often):
		w.Header().Set("Retry-After", often.Seconds())
	case no.code == codeNotFound:
		no.selected = echo(r.Header)
	case no.status == http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case no == errTooLarge:
		w.Header().Set("Connection", "close") // rather than read what is not wanted
	case no.status >= http.StatusInternalServerError && r.Context().Err() == nil:
		s.opts.Logger.WarnContext(r.Context(), "ofrep: cannot answer", "path", r.URL.Path, "err", err)
	}
	answer(w, no, key)
}

// refusalOf classifies an error by what the protocol has for it.
func refusalOf(err error) *refusal {
	no, unknownKey := new(refusal), new(evaluator.SelectorError)
	switch {
	case errors.As(err, &no):
		return no
	case errors.Is(err, authz.ErrUnauthenticated):
		return &refusal{status: http.StatusUnauthorized, code: codeGeneral, details: err.Error()}
	case errors.Is(err, authz.ErrLimited):
		return &refusal{status: http.StatusTooManyRequests, code: codeGeneral, details: err.Error()}
	case errors.Is(err, authz.ErrDenied):
		return &refusal{status: http.StatusForbidden, code: codeGeneral, details: err.Error()}
	case errors.As(err, &unknownKey):
		return &refusal{status: http.StatusBadRequest, code: codeGeneral, details: "invalid selector: " + err.Error()}
	case errors.Is(err, flags.ErrInvalid):
		return &refusal{status: http.StatusBadRequest, code: codeGeneral, details: err.Error()}
	case flags.ClassOf(err) == flags.ClassNotFound:
		// Not an empty list of flags: a client would take it for all there are.
		return &refusal{status: http.StatusNotFound, code: codeNotFound, details: "there is no such flag set"}
	case errors.Is(err, context.Canceled):
		return &refusal{status: http.StatusInternalServerError, details: "the request was given up"}
	default:
		return &refusal{status: http.StatusInternalServerError, details: "the flag set cannot be had now"}
	}
}

// echo returns what a request selected, for an answer about what is not there.
func echo(h http.Header) []byte {
	said, err := evaluator.ParseSelector(h.Get(evaluator.SelectorHeader))
	if err != nil || said.Key == "" {
		return nil
	}
	return append(appendMember([]byte{'{'}, said.Key, flags.StringValue(said.Value)), '}')
}

// answer writes {"key","errorCode","errorDetails","metadata"}, each as far as there is one.
func answer(w http.ResponseWriter, no *refusal, key string) {
	body := []byte{'{'}
	if key != "" {
		body = append(appendText(append(body, `"key":`...), key), ',')
	}
	if no.code != "" {
		body = append(appendText(append(body, `"errorCode":`...), no.code), ',')
	}
	body = appendText(append(body, `"errorDetails":`...), no.details)
	if no.selected != nil {
		body = append(append(body, `,"metadata":`...), no.selected...)
	}
	send(w, no.status, append(body, '}'))
}

// send writes a whole answer. That the client has gone is nobody's concern.
func send(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

func appendText(dst []byte, s string) []byte { return flags.StringValue(s).AppendJSON(dst) }

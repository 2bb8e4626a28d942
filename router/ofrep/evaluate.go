package ofrep

import (
	"net/http"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// evaluate answers one flag.
func (s *Service) evaluate(w http.ResponseWriter, r *http.Request, key string) error {
	b := newBuffer()
	defer b.free()
	own, err := b.scope(r)
	if err != nil {
		return err
	}
	call, err := s.opts.Evaluator.Begin(r.Context(), r.Header, authz.Evaluate, "")
	if err != nil {
		return err
	}
	d := call.View.ValueDetails(key, s.opts.Evaluator.Context(own, r.Header), flags.Value{})
	w.Header()[evaluator.RevisionHeader] = []string{call.Revision}
	b.out = appendText(append(b.out, `{"key":`...), key)
	b.out = appendOutcome(b.out, &d, key)
	b.out = append(b.out, `,"metadata":`...)
	b.out = append(b.out, s.metadata(&call, &d, key)...)
	b.out = append(b.out, '}')
	send(w, statusOf(d.ErrorCode), b.out)
	return nil
}

// metadata returns the encoded metadata of an answer, which is the same for every
// context until the set changes.
func (s *Service) metadata(call *evaluator.Call, d *flags.ValueDetails, key string) []byte {
	if d.ErrorCode == flags.ErrorFlagNotFound {
		return call.Metadata().AppendJSON(nil) // not kept: anybody may ask for any key
	}
	if text, ok := s.memo.Get(call.Revision, key, d.Freshness); ok {
		return text
	}
	text := evaluator.Metadata(call, d).AppendJSON(nil)
	s.memo.Put(call.Revision, key, d.Freshness, text)
	return text
}

// statusOf is the status of a single answer. Bulk ones are 200 whatever is in them.
func statusOf(code flags.ErrorCode) int {
	switch code {
	case flags.ErrorNone:
		return http.StatusOK
	case flags.ErrorFlagNotFound:
		return http.StatusNotFound
	case flags.ErrorProviderNotReady:
		return http.StatusInternalServerError
	default:
		return http.StatusBadRequest
	}
}

// appendOutcome appends the members of an answer that depend on the context. No value
// means that the caller's own default is to be used.
func appendOutcome(dst []byte, d *flags.ValueDetails, key string) []byte {
	if d.ErrorCode != flags.ErrorNone {
		dst = append(append(append(dst, `,"errorCode":"`...), d.ErrorCode.String()...), `","errorDetails":`...)
		return appendText(dst, details(d, key))
	}
	valued := d.Variant != "" || !d.Value.IsNull()
	if valued {
		dst = d.Value.AppendJSON(append(dst, `,"value":`...))
	}
	dst = append(append(append(dst, `,"reason":"`...), d.Reason.String()...), '"')
	if valued {
		dst = appendText(append(dst, `,"variant":`...), d.Variant)
	}
	return dst
}

func details(d *flags.ValueDetails, key string) string {
	if d.ErrorCode == flags.ErrorFlagNotFound {
		return "flag `" + key + "` does not exist" // as flagd says it
	}
	return d.ErrorMessage()
}

package evalsvc

import (
	"errors"
	"fmt"

	"connectrpc.com/connect"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// codes are those by which providers know the errors of evaluation.
var codes = map[flags.ErrorCode]connect.Code{
	flags.ErrorProviderNotReady: connect.CodeUnavailable,
	flags.ErrorFlagNotFound:     connect.CodeNotFound,
	flags.ErrorParse:            connect.CodeDataLoss,
	flags.ErrorTypeMismatch:     connect.CodeInvalidArgument,
	flags.ErrorGeneral:          connect.CodeUnknown,
}

var errUnavailable = errors.New("the flag set cannot be had now")

func evaluationError(code flags.ErrorCode, message string) *connect.Error {
	return connect.NewError(codes[code], fmt.Errorf("%s: %s", code, message))
}

// failed adds to an error what the answer would have said.
func failed(call *evaluator.Call, err error) error {
	if ce := new(connect.Error); errors.As(err, &ce) && call.Revision != "" {
		ce.Meta().Set(evaluator.RevisionHeader, call.Revision)
	}
	return err
}

// refusal is the error of a request that did not get as far as a flag.
func refusal(err error) error {
	var selector *evaluator.SelectorError
	var often *authz.LimitError
	code := connect.CodeUnavailable
	switch {
	case errors.As(err, &often):
		limited := connect.NewError(connect.CodeResourceExhausted, err)
		limited.Meta().Set("Retry-After", often.Seconds())
		return limited
	case errors.Is(err, authz.ErrUnauthenticated):
		code = connect.CodeUnauthenticated
	case errors.Is(err, authz.ErrDenied):
		code = connect.CodePermissionDenied
	case errors.As(err, &selector), errors.Is(err, flags.ErrInvalid):
		code = connect.CodeInvalidArgument
	case flags.ClassOf(err) == flags.ClassNotFound:
		return evaluationError(flags.ErrorFlagNotFound, "there is no such flag set")
	case flags.ClassOf(err) == flags.ClassCanceled:
		return connect.NewError(connect.CodeCanceled, err)
	default:
		err = errUnavailable // what the store says of itself is for the log
	}
	return connect.NewError(code, err)
}

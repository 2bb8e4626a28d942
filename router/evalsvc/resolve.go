package evalsvc

import (
	"context"
	"net/http"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	v1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// asks is a pointer to a request for one flag.
type asks[Req any] interface {
	*Req
	GetFlagKey() string
	GetContext() *structpb.Struct
}

// reader reads a flag of one type; fallback is the zero T.
type reader[T any] func(v flags.View, key string, ec flags.EvaluationContext, fallback T) flags.Details[T]

// answer is what the protocols make their message of.
type answer[T any] struct {
	value    T
	variant  string
	reason   string
	absent   bool // the caller's own default stands: there is neither value nor variant
	metadata *structpb.Struct
}

// unary serves one procedure that resolves a flag. say makes the message; an error is
// for where the protocol has no words for the answer.
func unary[Req, T, Res any, P asks[Req]](s *Service, procedure string, read reader[T], say func(*answer[T]) (*Res, error)) {
	s.handlers[procedure] = connect.NewUnaryHandler(procedure, func(ctx context.Context, req *connect.Request[Req]) (*connect.Response[Res], error) {
		call, err := s.begin(ctx, req.Header())
		if err != nil {
			return nil, err
		}
		a, err := resolve(s, &call, P(req.Msg), req.Header(), read)
		var msg *Res
		if err == nil {
			msg, err = say(&a)
		}
		if err != nil {
			return nil, failed(&call, err)
		}
		res := connect.NewResponse(msg)
		res.Header()[evaluator.RevisionHeader] = []string{call.Revision}
		return res, nil
	}, s.handling()...)
}

func resolve[T any](s *Service, call *evaluator.Call, in interface {
	GetFlagKey() string
	GetContext() *structpb.Struct
}, header http.Header, read reader[T],
) (answer[T], error) {
	var fallback T
	key := in.GetFlagKey()
	d := read(call.View, key, s.opts.Evaluator.Context(scopeOf(in.GetContext()), header), fallback)
	if d.ErrorCode != flags.ErrorNone {
		return answer[T]{}, evaluationError(d.ErrorCode, d.ErrorMessage())
	}
	return answer[T]{
		value: d.Value, variant: d.Variant, reason: d.Reason.String(), absent: d.Variant == "",
		metadata: metadataOf(s, call, key, &d),
	}, nil
}

// begin finds out who asks, and about what, and sees to it that changes of that are told.
func (s *Service) begin(ctx context.Context, header http.Header) (evaluator.Call, error) {
	call, err := s.opts.Evaluator.Begin(ctx, header, authz.Evaluate, "")
	if err == nil {
		s.heed(&call)
		return call, nil
	}
	no := refusal(err)
	if connect.CodeOf(no) == connect.CodeUnavailable && ctx.Err() == nil {
		s.opts.Logger.WarnContext(ctx, "evaluation: cannot answer", "err", err)
	}
	return call, no
}

// metadataOf returns the metadata of an answer, made once for each revision of a set.
func metadataOf[T any](s *Service, call *evaluator.Call, key string, d *flags.Details[T]) *structpb.Struct {
	if m, ok := s.metadata.Get(call.Revision, key, d.Freshness); ok {
		return m
	}
	m := toStruct(evaluator.Metadata(call, d))
	s.metadata.Put(call.Revision, key, d.Freshness, m)
	return m
}

// object is View.ObjectDetails for protocols whose objects cannot be lists.
func object(v flags.View, key string, ec flags.EvaluationContext, fallback flags.Value) flags.ValueDetails {
	d := v.ObjectDetails(key, ec, fallback)
	if d.Value.Kind() == flags.ValueArray {
		d.Reason, d.ErrorCode = flags.ReasonError, flags.ErrorTypeMismatch
	}
	return d
}

// resolveAll answers all flags of a set that have a value these protocols can carry.
func (s *Service) resolveAll(ctx context.Context, req *connect.Request[v1.ResolveAllRequest]) (*connect.Response[v1.ResolveAllResponse], error) {
	call, err := s.begin(ctx, req.Header())
	if err != nil {
		return nil, err
	}
	snap := call.View.Snapshot()
	ec := s.opts.Evaluator.Context(scopeOf(req.Msg.GetContext()), req.Header())
	all := &v1.ResolveAllResponse{Metadata: toStruct(call.Metadata()), Flags: make(map[string]*v1.AnyFlag, snap.Len())}
	for _, key := range snap.Keys() {
		d := call.View.ValueDetails(key, ec, flags.Value{})
		if d.Reason == flags.ReasonDisabled {
			d.Value = zeroOf(snap, key)
		}
		if flag := anyFlag(d.Value); flag != nil && d.ErrorCode == flags.ErrorNone {
			flag.Reason, flag.Variant, flag.Metadata = d.Reason.String(), d.Variant, metadataOf(s, &call, key, &d)
			all.Flags[key] = flag
		}
	}
	res := connect.NewResponse(all)
	res.Header()[evaluator.RevisionHeader] = []string{call.Revision}
	return res, nil
}

// zeroOf returns the zero value of a flag's type: what a disabled flag is to those
// who know no absence.
func zeroOf(snap *flags.Snapshot, key string) flags.Value {
	e, _ := snap.Get(flags.FlagKey(key))
	def, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		return flags.Value{}
	}
	switch def.Type() {
	case flags.TypeBoolean:
		return flags.BoolValue(false)
	case flags.TypeString:
		return flags.StringValue("")
	case flags.TypeNumber:
		return flags.NumberValue(0)
	case flags.TypeObject:
		return flags.Context().Value()
	default:
		return flags.Value{}
	}
}

// anyFlag returns an answer with the value alone, or nil for what it cannot carry.
func anyFlag(v flags.Value) *v1.AnyFlag {
	switch v.Kind() {
	case flags.ValueBool:
		return &v1.AnyFlag{Value: &v1.AnyFlag_BoolValue{BoolValue: v.Bool()}}
	case flags.ValueString:
		return &v1.AnyFlag{Value: &v1.AnyFlag_StringValue{StringValue: v.Str()}}
	case flags.ValueNumber:
		return &v1.AnyFlag{Value: &v1.AnyFlag_DoubleValue{DoubleValue: v.Float()}}
	case flags.ValueObject:
		return &v1.AnyFlag{Value: &v1.AnyFlag_ObjectValue{ObjectValue: toStruct(v)}}
	default:
		return nil
	}
}

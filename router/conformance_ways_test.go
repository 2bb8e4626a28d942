package router_test

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/flagcases"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
)

func (r *conformance) ways() []way {
	return []way{
		{inProcess, func(c flagcases.Case) answered { return r.read(r.sdk.View(r.t.Context()), c) }},
		{synced, func(c flagcases.Case) answered { return r.read(r.synced.View(), c) }},
		{grpcV2, r.askGRPC},
		{connectV2, func(c flagcases.Case) answered { return r.askConnect("/flagd.evaluation.v2.Service/", c) }},
		{connectV1, func(c flagcases.Case) answered { return r.askConnect("/flagd.evaluation.v1.Service/", c) }},
		{schemaV1, func(c flagcases.Case) answered { return r.askConnect("/schema.v1.Service/", c) }},
		{ofrepSingle, r.askOFREP},
		{ofrepBulk, r.askBulk},
	}
}

// methods are the names of the types in flagd's protocols.
var methods = map[flagcases.Type]string{
	flagcases.Boolean: "ResolveBoolean", flagcases.Text: "ResolveString", flagcases.Integer: "ResolveInt",
	flagcases.Float: "ResolveFloat", flagcases.Object: "ResolveObject",
}

func (r *conformance) context(c flagcases.Case) flags.EvaluationContext {
	return flags.FromValue(parsed(r.t, cmp.Or(c.Context, `{}`)))
}

// read asks in process. A fallback that no flag has tells that there was no value.
func (r *conformance) read(v flags.View, c flagcases.Case) answered {
	ec := r.context(c)
	switch c.Type {
	case flagcases.Boolean:
		return inDetail(v.BoolDetails(c.Flag, ec, false), flags.BoolValue)
	case flagcases.Text:
		return inDetail(v.StringDetails(c.Flag, ec, "fallback"), flags.StringValue)
	case flagcases.Integer:
		return inDetail(v.IntDetails(c.Flag, ec, -99), func(n int64) flags.Value { return flags.NumberValue(float64(n)) })
	case flagcases.Float:
		return inDetail(v.FloatDetails(c.Flag, ec, -99), flags.NumberValue)
	default:
		return inDetail(v.ObjectDetails(c.Flag, ec, flags.Value{}), sameValue)
	}
}

// untyped is what the flag is, whatever it was asked for as.
func (r *conformance) untyped(c flagcases.Case) answered {
	return inDetail(r.sdk.View(r.t.Context()).ValueDetails(c.Flag, r.context(c), flags.Value{}), sameValue)
}

func sameValue(v flags.Value) flags.Value { return v }

func inDetail[T any](d flags.Details[T], value func(T) flags.Value) answered {
	a := answered{variant: d.Variant, reason: d.Reason.String(), code: d.ErrorCode.String()}
	if d.Variant != "" {
		a.value = value(d.Value).String()
	}
	return a
}

func selecting(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "flagd-selector", "flagSetId="+casesSet)
}

// resolveGRPC asks over gRPC, with an answer of the type asked for.
func (r *conformance) resolveGRPC(c flagcases.Case) (proto.Message, error) {
	req := &v2.ResolveBooleanRequest{FlagKey: c.Flag} // all requests have the same form
	if c.Context != "" {
		req.Context = new(structpb.Struct)
		if err := protojson.Unmarshal([]byte(c.Context), req.Context); err != nil {
			r.t.Fatal(err)
		}
	}
	var res proto.Message
	switch c.Type {
	case flagcases.Boolean:
		res = new(v2.ResolveBooleanResponse)
	case flagcases.Text:
		res = new(v2.ResolveStringResponse)
	case flagcases.Integer:
		res = new(v2.ResolveIntResponse)
	case flagcases.Float:
		res = new(v2.ResolveFloatResponse)
	default:
		res = new(v2.ResolveObjectResponse)
	}
	return res, r.eval.Invoke(selecting(r.t.Context()), "/flagd.evaluation.v2.Service/"+methods[c.Type], req, res)
}

// errorCodes are what providers take the codes of flagd's protocols for.
var errorCodes = map[codes.Code]string{
	codes.NotFound: "FLAG_NOT_FOUND", codes.InvalidArgument: "TYPE_MISMATCH", codes.DataLoss: "PARSE_ERROR", codes.Unknown: "GENERAL",
}

func (r *conformance) askGRPC(c flagcases.Case) answered {
	res, err := r.resolveGRPC(c)
	if err != nil {
		return answered{reason: "ERROR", code: cmp.Or(errorCodes[status.Code(err)], err.Error())}
	}
	text, err := protojson.Marshal(res)
	if err != nil {
		r.t.Fatal(err)
	}
	return r.fromJSON(parsed(r.t, string(text)), c)
}

func (r *conformance) grpcMetadata(c flagcases.Case) (flags.Value, bool) {
	res, err := r.resolveGRPC(c)
	if err != nil {
		return flags.Value{}, false
	}
	boolean, _ := res.(*v2.ResolveBooleanResponse)
	text, err := protojson.Marshal(boolean.GetMetadata())
	if err != nil {
		r.t.Fatal(err)
	}
	return parsed(r.t, string(text)), true
}

func (r *conformance) resolveConnect(service string, c flagcases.Case) (int, flags.Value) {
	return r.post("eval", service+methods[c.Type], `{"flagKey":`+quoted(c.Flag)+`,"context":`+cmp.Or(c.Context, `{}`)+`}`)
}

// connectErrors are the codes in an error's body, and the statuses they come with.
var connectErrors = map[string]struct {
	code   string
	status int
}{
	"not_found": {"FLAG_NOT_FOUND", 404}, "invalid_argument": {"TYPE_MISMATCH", 400}, "data_loss": {"PARSE_ERROR", 500}, "unknown": {"GENERAL", 500},
}

func (r *conformance) askConnect(service string, c flagcases.Case) answered {
	code, body := r.resolveConnect(service, c)
	if code == http.StatusOK {
		return r.fromJSON(body, c)
	}
	said := connectErrors[member(body, "code")]
	if said.status != code {
		r.t.Errorf("%s: status %d with %s", c.Name(), code, body)
	}
	return answered{reason: "ERROR", code: said.code}
}

func (r *conformance) connectMetadata(c flagcases.Case) (flags.Value, bool) {
	_, body := r.resolveConnect("/flagd.evaluation.v2.Service/", c)
	return body.Get("metadata")
}

// allFlags marks an answer that has all flags.
const allFlags = "all flags"

const ofrepPath = "/ofrep/v1/evaluate/flags"

func (r *conformance) askOFREP(c flagcases.Case) answered {
	code, body := r.resolveOFREP(c)
	if _, all := body.Get("flags"); all {
		return answered{reason: allFlags}
	}
	a := r.fromJSON(body, c)
	want := map[string]int{"": http.StatusOK, "FLAG_NOT_FOUND": http.StatusNotFound}
	if status, ok := want[a.code]; code != status && (ok || code != http.StatusBadRequest) {
		r.t.Errorf("%s: status %d with %s", c.Name(), code, body)
	}
	return a
}

func (r *conformance) resolveOFREP(c flagcases.Case) (int, flags.Value) {
	return r.post("web", ofrepPath+"/"+url.PathEscape(c.Flag), `{"context":`+cmp.Or(c.Context, `{}`)+`}`)
}

func (r *conformance) ofrepMetadata(c flagcases.Case) (flags.Value, bool) {
	_, body := r.resolveOFREP(c)
	return body.Get("metadata")
}

// askBulk looks an answer up among those of all flags, which are asked for once for
// each context.
func (r *conformance) askBulk(c flagcases.Case) answered {
	all := r.bulks[c.Context]
	if all == nil {
		all = map[string]flags.Value{}
		_, body := r.post("web", ofrepPath, `{"context":`+cmp.Or(c.Context, `{}`)+`}`)
		list, _ := body.Get("flags")
		for _, flag := range list.Elements() {
			all[member(flag, "key")] = flag
		}
		r.bulks[c.Context] = all
	}
	flag, ok := all[c.Flag]
	if !ok {
		return answered{}
	}
	return r.fromJSON(flag, c)
}

// fromJSON reads an answer in the form that all protocols have in JSON. Integers may
// be texts there, as protobuf writes those of 64 bits.
func (r *conformance) fromJSON(body flags.Value, c flagcases.Case) answered {
	a := answered{variant: member(body, "variant"), reason: member(body, "reason"), code: member(body, "errorCode")}
	if a.code != "" {
		a.reason = "ERROR" // is said by the code
	}
	v, ok := body.Get("value")
	if !ok {
		return a
	}
	a.value = v.String()
	if c.Type == flagcases.Integer && v.Kind() == flags.ValueString {
		if n, err := strconv.ParseInt(v.Str(), 10, 64); err == nil {
			a.value = flags.NumberValue(float64(n)).String()
		}
	}
	return a
}

func member(object flags.Value, name string) string {
	v, _ := object.Get(name)
	return v.Str()
}

func quoted(s string) string {
	text, _ := json.Marshal(s) // a string always has a form
	return string(text)
}

package evalsvc_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	v1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	schema "github.com/holdfast-flags/holdfast/internal/pb/schema/v1"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

func object(t testing.TB, text string) *structpb.Struct {
	t.Helper()
	s := new(structpb.Struct)
	if err := protojson.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return s
}

// said is an answer as text, so that all protocols and types can be compared.
func said(value any, variant *string, reason string, err error) string {
	if err != nil {
		return connect.CodeOf(err).String()
	}
	if variant == nil {
		return "absent " + reason
	}
	if s, ok := value.(*structpb.Struct); ok {
		text, _ := json.Marshal(s.AsMap())
		value = string(text)
	}
	return fmt.Sprintf("%v %s %s", value, *variant, reason)
}

// answers are what version 2 says of each flag as each type.
var answers = []struct{ kind, key, context, want string }{
	{"Boolean", "on", `{}`, "true on STATIC"},
	{"String", "text", `{}`, "é-0-日 a STATIC"},
	{"Int", "int", `{}`, "9007199254740991 n STATIC"},
	{"Int", "big", `{}`, "invalid_argument"},
	{"Int", "pi", `{}`, "invalid_argument"},
	{"Float", "pi", `{}`, "3.14 n STATIC"},
	{"Float", "int", `{}`, "9.007199254740991e+15 n STATIC"},
	{"Object", "object", `{}`, `{"a":[1,null,"x",{"b":false}],"n":0.1} o STATIC`},
	{"Object", "list", `{}`, "invalid_argument"},
	{"Boolean", "disabled", `{}`, "absent DISABLED"},
	{"String", "disabled", `{}`, "absent DISABLED"},
	{"Boolean", "none", `{}`, "absent DEFAULT"},
	{"Object", "none", `{}`, "absent DEFAULT"},
	{"Boolean", "broken", `{}`, "data_loss"},
	{"Boolean", "wrong", `{}`, "unknown"},
	{"Boolean", "missing", `{}`, "not_found"},
	{"Boolean", "", `{}`, "not_found"},
	{"String", "on", `{}`, "invalid_argument"},
	{"Boolean", "pro", `{"user":{"plan":"pro"},"tags":["x"]}`, "true on TARGETING_MATCH"},
	{"Boolean", "pro", `{"user":{"plan":"free"}}`, "false off TARGETING_MATCH"},
	{"Boolean", "mine", `{"targetingKey":"me"}`, "true on TARGETING_MATCH"},
	{"Boolean", "mine", `{"targetingKey":"you"}`, "false off DEFAULT"},
}

// TestProtocols: the same answers over every protocol, form and version of HTTP.
func TestProtocols(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	for name, c := range map[string]struct {
		http *http.Client
		opts []connect.ClientOption
	}{
		"connect":                {h1(t), nil},
		"connect, JSON":          {h1(t), []connect.ClientOption{connect.WithProtoJSON()}},
		"connect, HTTP/2":        {h2c(t), nil},
		"connect, gzip":          {h1(t), []connect.ClientOption{connect.WithSendGzip()}},
		"gRPC":                   {h2c(t), []connect.ClientOption{connect.WithGRPC()}},
		"gRPC, JSON":             {h2c(t), []connect.ClientOption{connect.WithGRPC(), connect.WithProtoJSON()}},
		"gRPC-Web":               {h1(t), []connect.ClientOption{connect.WithGRPCWeb()}},
		"gRPC-Web, JSON, HTTP/2": {h2c(t), []connect.ClientOption{connect.WithGRPCWeb(), connect.WithProtoJSON()}},
	} {
		t.Run(name, func(t *testing.T) {
			client := v2.NewServiceClient(c.http, r.url, c.opts...)
			for _, a := range answers {
				if got := ask(t, client, a.kind, a.key, object(t, a.context)); got != a.want {
					t.Errorf("%s %s: %s, want %s", a.kind, a.key, got, a.want)
				}
			}
		})
	}
}

func ask(t *testing.T, c v2.ServiceClient, kind, key string, ec *structpb.Struct) string {
	ctx := t.Context()
	switch kind {
	case "Boolean":
		res, err := c.ResolveBoolean(ctx, connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: key, Context: ec}))
		if err != nil {
			return said(nil, nil, "", err)
		}
		return said(res.Msg.GetValue(), res.Msg.Variant, res.Msg.Reason, nil)
	case "String":
		res, err := c.ResolveString(ctx, connect.NewRequest(&v2.ResolveStringRequest{FlagKey: key, Context: ec}))
		if err != nil {
			return said(nil, nil, "", err)
		}
		return said(res.Msg.GetValue(), res.Msg.Variant, res.Msg.Reason, nil)
	case "Int":
		res, err := c.ResolveInt(ctx, connect.NewRequest(&v2.ResolveIntRequest{FlagKey: key, Context: ec}))
		if err != nil {
			return said(nil, nil, "", err)
		}
		return said(res.Msg.GetValue(), res.Msg.Variant, res.Msg.Reason, nil)
	case "Float":
		res, err := c.ResolveFloat(ctx, connect.NewRequest(&v2.ResolveFloatRequest{FlagKey: key, Context: ec}))
		if err != nil {
			return said(nil, nil, "", err)
		}
		return said(res.Msg.GetValue(), res.Msg.Variant, res.Msg.Reason, nil)
	default:
		res, err := c.ResolveObject(ctx, connect.NewRequest(&v2.ResolveObjectRequest{FlagKey: key, Context: ec}))
		if err != nil {
			return said(nil, nil, "", err)
		}
		return said(res.Msg.GetValue(), res.Msg.Variant, res.Msg.Reason, nil)
	}
}

// TestOldProtocols: what the older versions say where they have no words for it.
func TestOldProtocols(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	for _, path := range []string{"/flagd.evaluation.v1.Service/", "/schema.v1.Service/"} {
		for _, c := range []struct{ method, key, want string }{
			{"ResolveBoolean", "on", `"value":true,"reason":"STATIC","variant":"on"`},
			{"ResolveString", "text", `"value":"é-0-日"`},
			{"ResolveInt", "int", `"value":"9007199254740991"`},
			{"ResolveFloat", "pi", `"value":3.14`},
			{"ResolveObject", "object", `"n":0.1`},
			{"ResolveBoolean", "disabled", `"value":false,"reason":"DISABLED","variant":""`},
			{"ResolveObject", "disabled", `"value":{},"reason":"DISABLED"`},
			{"ResolveBoolean", "none", `"code":"not_found"`},
			{"ResolveInt", "pi", `"code":"invalid_argument"`},
		} {
			_, text := r.post(h1(t), path+c.method, "application/json", []byte(`{"flagKey":"`+c.key+`","unknown":1}`))
			if !strings.Contains(strings.ReplaceAll(text, " ", ""), c.want) {
				t.Errorf("%s%s of %s: %s, want %s", path, c.method, c.key, text, c.want)
			}
		}
	}
	old := schema.NewServiceClient(h2c(t), r.url, connect.WithGRPC())
	res, err := old.ResolveBoolean(t.Context(), connect.NewRequest(&schema.ResolveBooleanRequest{FlagKey: "on"}))
	if err != nil || !res.Msg.Value || res.Msg.Metadata.AsMap()["region"] != "eu" {
		t.Errorf("schema.v1 over gRPC: %v, %v", res, err)
	}
}

func TestResolveAll(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	client := v1.NewServiceClient(h2c(t), r.url, connect.WithGRPC())
	req := connect.NewRequest(&v1.ResolveAllRequest{Context: object(t, `{"targetingKey":"me"}`)})
	req.Header().Set("flagd-selector", "flagSetId=default")
	res, err := client.ResolveAll(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"on": "bool_value:true STATIC", "text": `string_value:"é-0-日" STATIC`, "int": "double_value:9.007199254740991e+15 STATIC",
		"big": "double_value:9.007199254740992e+15 STATIC", "pi": "double_value:3.14 STATIC", "object": "object_value STATIC",
		"disabled": "bool_value:false DISABLED", "pro": "bool_value:false TARGETING_MATCH", "mine": "bool_value:true TARGETING_MATCH",
	}
	for key, flag := range res.Msg.Flags {
		got := ""
		switch v := flag.Value.(type) {
		case *v1.AnyFlag_BoolValue:
			got = fmt.Sprintf("bool_value:%v", v.BoolValue)
		case *v1.AnyFlag_StringValue:
			got = fmt.Sprintf("string_value:%q", v.StringValue)
		case *v1.AnyFlag_DoubleValue:
			got = fmt.Sprintf("double_value:%v", v.DoubleValue)
		case *v1.AnyFlag_ObjectValue:
			got = "object_value"
		}
		if got += " " + flag.Reason; got != want[key] {
			t.Errorf("%s: %s, want %s", key, got, want[key])
		}
		if flag.Metadata.AsMap()["region"] != "eu" {
			t.Errorf("%s: metadata %v", key, flag.Metadata)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not answered: %v", want)
	}
	if m := res.Msg.Metadata.AsMap(); m["flagSetId"] != "default" || m["holdfastRevision"] != r.head("default").Token().String() {
		t.Errorf("metadata %v", m)
	}
}

// TestMetadata: what an answer says beside the value, numbers unharmed.
func TestMetadata(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	token := r.head("default").Token().String()
	client := v2.NewServiceClient(h1(t), r.url)
	for range 2 { // made, and kept
		res, err := client.ResolveBoolean(t.Context(), connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: "on"}))
		if err != nil {
			t.Fatal(err)
		}
		want := object(t, `{"owner":"team-a","limit":9007199254740991,"ratio":0.1,"beta":true,"region":"eu","holdfastRevision":"`+token+`"}`)
		if !proto.Equal(res.Msg.Metadata, want) || res.Msg.Metadata.Fields["limit"].GetNumberValue() != 1<<53-1 {
			t.Errorf("metadata %v, want %v", res.Msg.Metadata, want)
		}
		if got := res.Header().Get("Holdfast-Revision"); got != token {
			t.Errorf("header says %q, want %q", got, token)
		}
	}
	_, err := client.ResolveBoolean(t.Context(), connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: "missing"}))
	if ce := new(connect.Error); !errors.As(err, &ce) || ce.Meta().Get("Holdfast-Revision") != token {
		t.Errorf("an error does not say what it is from: %v", err)
	}
}

// TestTokens: a read that carries the token of a write sees the write.
func TestTokens(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	client := v2.NewServiceClient(h2c(t), r.url, connect.WithGRPC())
	for i := range 10 {
		head := r.put("default", "n", fmt.Sprintf(`{"defaultVariant":"n","variants":{"n":%d}}`, i))
		req := connect.NewRequest(&v2.ResolveIntRequest{FlagKey: "n"})
		req.Header().Set("Holdfast-Revision", head.Token().String())
		res, err := client.ResolveInt(t.Context(), req)
		if err != nil || res.Msg.GetValue() != int64(i) || res.Header().Get("Holdfast-Revision") != head.Token().String() {
			t.Fatalf("after the write of %d: %v, %v", i, res, err)
		}
	}
	req := connect.NewRequest(&v2.ResolveIntRequest{FlagKey: "n"})
	req.Header().Set("Holdfast-Revision", "default@0.100000")
	res, err := client.ResolveInt(t.Context(), req)
	if err != nil || res.Msg.GetValue() != 9 || res.Msg.Metadata.AsMap()["freshness"] != "not fresh" || res.Msg.Reason != "STATIC" {
		t.Errorf("a token that nobody can meet: %v, %v", res, err)
	}
}

func TestContexts(t *testing.T) {
	r := serve(t, evaluator.Options{
		Context:       map[string]flags.Value{"tags": flags.ArrayValue(flags.StringValue("x"))},
		HeaderContext: map[string]string{"X-Who": "targetingKey"},
	}, evalsvc.Options{})
	client := v2.NewServiceClient(h1(t), r.url)
	for _, c := range []struct{ key, context, who, want string }{
		{"pro", `{"user":{"plan":"pro"},"tags":[]}`, "", "on"},
		{"mine", `{"targetingKey":"you"}`, "me", "on"},
		{"mine", `{"targetingKey":"me"}`, "you", "off"},
		{"mine", `{"targetingKey":"me"}`, "", "on"},
	} {
		req := connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: c.key, Context: object(t, c.context)})
		if c.who != "" {
			req.Header().Set("X-Who", c.who)
		}
		res, err := client.ResolveBoolean(t.Context(), req)
		if err != nil || res.Msg.GetVariant() != c.want {
			t.Errorf("%+v: %v, %v", c, res, err)
		}
	}
}

// TestGRPC: a client of grpc-go, whose metadata is not net/http's.
func TestGRPC(t *testing.T) {
	r := serve(t, evaluator.Options{}, evalsvc.Options{})
	conn, err := grpc.NewClient(strings.TrimPrefix(r.url, "http://"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	resolve := func(set, key string) (*v2.ResolveBooleanResponse, metadata.MD, error) {
		res, header := new(v2.ResolveBooleanResponse), metadata.MD{}
		ctx := metadata.AppendToOutgoingContext(t.Context(), "flagd-selector", set)
		err := conn.Invoke(ctx, v2.ServiceResolveBooleanProcedure, &v2.ResolveBooleanRequest{FlagKey: key}, res, grpc.Header(&header))
		return res, header, err
	}
	res, header, err := resolve("flagSetId=shop", "on")
	if err != nil || res.GetVariant() != "off" || len(header["holdfast-revision"]) != 1 || header["holdfast-revision"][0] != r.head("shop").Token().String() {
		t.Errorf("%v, %v, %v", res, header, err)
	}
	for _, c := range []struct {
		set, key string
		code     codes.Code
		text     string
	}{
		{"shop", "missing", codes.NotFound, "FLAG_NOT_FOUND"},
		{"default", "broken", codes.DataLoss, "PARSE_ERROR"},
		{"default", "text", codes.InvalidArgument, "TYPE_MISMATCH"},
		{"default", "wrong", codes.Unknown, "GENERAL"},
		{"unheard-of", "on", codes.NotFound, "FLAG_NOT_FOUND"},
		{"flagset=shop", "on", codes.InvalidArgument, `invalid selector key "flagset", valid keys: "flagSetId", "source"`},
	} {
		_, _, err := resolve(c.set, c.key)
		if status.Code(err) != c.code || !strings.Contains(status.Convert(err).Message(), c.text) {
			t.Errorf("%s of %s: %v, want %s %s", c.key, c.set, err, c.code, c.text)
		}
	}
	if err := conn.Invoke(t.Context(), "/flagd.evaluation.v2.Service/ResolveNothing", &v2.EventStreamRequest{}, res); status.Code(err) != codes.Unimplemented {
		t.Errorf("an unknown method: %v", err)
	}
	var odd structpb.Struct
	odd.Fields = map[string]*structpb.Value{"n": structpb.NewNumberValue(math.NaN()), "v": {}}
	if err := conn.Invoke(context.Background(), v2.ServiceResolveBooleanProcedure, &v2.ResolveBooleanRequest{FlagKey: "pro", Context: &odd}, res); err != nil {
		t.Errorf("a context that JSON cannot have: %v", err)
	}
}

package evalsvc_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// BenchmarkResolveBoolean compares a request with one to a handler on the same stack
// that decodes it and answers the same message without looking at anything: the
// server's work alone, without sockets, which would only hide the difference.
func BenchmarkResolveBoolean(b *testing.B) {
	r := newRig(b, evaluator.Options{}, evalsvc.Options{})
	b.Cleanup(func() {
		r.eval.Close()
		r.hub.Close()
		_ = r.store.Close()
	})
	body, err := proto.Marshal(&v2.ResolveBooleanRequest{FlagKey: "pro", Context: object(b, `{"targetingKey":"tenant-42","user":{"plan":"pro"},"tags":["x"]}`)})
	if err != nil {
		b.Fatal(err)
	}
	post := func(h http.Handler, contentType string, body []byte) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, v2.ServiceResolveBooleanProcedure, bytes.NewReader(body))
		req.Header.Set("Content-Type", contentType)
		req.ProtoMajor, req.Proto = 2, "HTTP/2.0"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, req)
		return w
	}
	first := post(r.svc, "application/proto", body)
	said := new(v2.ResolveBooleanResponse)
	text, _ := io.ReadAll(first.Body)
	if err := proto.Unmarshal(text, said); err != nil || !said.GetValue() {
		b.Fatalf("%d %s", first.Code, text)
	}
	echo := connect.NewUnaryHandler(v2.ServiceResolveBooleanProcedure, func(context.Context, *connect.Request[v2.ResolveBooleanRequest]) (*connect.Response[v2.ResolveBooleanResponse], error) {
		return connect.NewResponse(said), nil
	}, connect.WithReadMaxBytes(1_000_000), connect.WithCompressMinBytes(1<<10))
	for _, p := range []struct {
		name, contentType string
		body              []byte
	}{{"connect", "application/proto", body}, {"gRPC", "application/grpc", append([]byte{0, 0, 0, 0, byte(len(body))}, body...)}} {
		for _, c := range []struct {
			name string
			http.Handler
		}{{"echo", echo}, {"holdfast", r.svc}} {
			b.Run(p.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if w := post(c, p.contentType, p.body); w.Code != http.StatusOK {
						b.Fatal(w.Code)
					}
				}
			})
		}
	}
}

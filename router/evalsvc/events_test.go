package evalsvc_test

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
)

// virtual runs a test in virtual time, over pipes and HTTP/2.
func virtual(t *testing.T, test func(t *testing.T, r *rig, client *http.Client)) {
	t.Helper()
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	virtualOver(t, p, evalsvc.Options{}, test)
}

func virtualOver(t *testing.T, p *http.Protocols, opts evalsvc.Options, test func(t *testing.T, r *rig, client *http.Client)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, evaluator.Options{}, opts)
		pipes := faultnet.NewPipes()
		r.url = "http://pipe"
		served := r.serveOn(pipes)
		tr := &http.Transport{Protocols: p, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return pipes.DialContext(ctx) }}
		test(t, r, &http.Client{Transport: tr})
		tr.CloseIdleConnections()
		r.close()
		<-served
	})
}

type stream = connect.ServerStreamForClient[v2.EventStreamResponse]

func watch(t *testing.T, client v2.ServiceClient, set string) *stream {
	t.Helper()
	req := connect.NewRequest(&v2.EventStreamRequest{})
	req.Header().Set("Flagd-Selector", "flagSetId="+set)
	s, err := client.EventStream(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, s, "provider_ready", "")
	return s
}

func expect(t *testing.T, s *stream, kind, data string) {
	t.Helper()
	if !s.Receive() {
		t.Fatalf("the stream ended with %v, want %s", s.Err(), kind)
	}
	text := ""
	if d := s.Msg().Data; d != nil {
		b, _ := json.Marshal(d.AsMap())
		text = string(b)
	}
	if s.Msg().Type != kind || text != data {
		t.Errorf("got %s %s, want %s %s", s.Msg().Type, text, kind, data)
	}
}

// TestEvents: the life of an event stream, over each protocol.
func TestEvents(t *testing.T) {
	for name, opts := range map[string][]connect.ClientOption{
		"connect": nil, "connect, JSON": {connect.WithProtoJSON()}, "gRPC": {connect.WithGRPC()}, "gRPC-Web": {connect.WithGRPCWeb()},
	} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig, client *http.Client) {
				s := watch(t, v2.NewServiceClient(client, r.url, opts...), "shop")
				r.put("default", "on", `{"variants":{"on":true}}`) // another set is none of its business
				r.put("shop", "new", `{"variants":{"on":true}}`)
				expect(t, s, "configuration_change", `{"flags":{"new":{"type":"write"}}}`)
				r.put("shop", "new", `{"variants":{"on":false}}`)
				expect(t, s, "configuration_change", `{"flags":{"new":{"type":"update"}}}`)
				r.delete("shop", "new")
				expect(t, s, "configuration_change", `{"flags":{"new":{"type":"delete"}}}`)
				r.apply(flags.Commit{Set: "shop", Changes: []flags.Mutation{{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "m"}, Bytes: []byte(`1`)}}})
				expect(t, s, "configuration_change", `{"flags":{"on":{"type":"update"}}}`)
				began := time.Now()
				expect(t, s, "keep_alive", "")
				if quiet := time.Since(began); quiet != 20*time.Second {
					t.Errorf("it kept silent for %v, want 20 s", quiet)
				}
				r.svc.Drain()
				expect(t, s, "provider_shutdown", "")
				if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeUnavailable { // or some would not come back
					t.Errorf("after the shutdown: %v, %v", s.Msg(), s.Err())
				}
				_ = s.Close()
				refused(t, v2.NewServiceClient(client, r.url, opts...), "shop", connect.CodeUnavailable)
			})
		})
	}
}

// refused wants a stream that ends without a word but its error.
func refused(t *testing.T, client v2.ServiceClient, set string, code connect.Code) {
	t.Helper()
	req := connect.NewRequest(&v2.EventStreamRequest{})
	req.Header().Set("Flagd-Selector", "flagSetId="+set)
	s, err := client.EventStream(t.Context(), req)
	if err == nil {
		if s.Receive() {
			t.Errorf("%s: %s from a stream that should not be", set, s.Msg().GetType())
		}
		err = s.Err()
		_ = s.Close()
	}
	if connect.CodeOf(err) != code {
		t.Errorf("%s: %v, want %s", set, err, code)
	}
}

// TestEventsOfNoSet: a stream of a set that is not there, or not any more, ends before it
// says provider_ready. A provider that has it misspelt then is in state ERROR, where
// everybody sees it, and tries again every few seconds: so it finds a set that was
// created later.
func TestEventsOfNoSet(t *testing.T) {
	for name, opts := range map[string][]connect.ClientOption{"connect": nil, "gRPC": {connect.WithGRPC()}} {
		t.Run(name, func(t *testing.T) {
			virtual(t, func(t *testing.T, r *rig, hc *http.Client) {
				client := v2.NewServiceClient(hc, r.url, opts...)
				refused(t, client, "later", connect.CodeNotFound)
				r.apply(flags.Commit{Set: "later", Op: flags.OpCreate})
				s := watch(t, client, "later")
				r.put("later", "on", `{"variants":{"on":true}}`)
				expect(t, s, "configuration_change", `{"flags":{"on":{"type":"write"}}}`)
				r.apply(flags.Commit{Set: "later", Op: flags.OpDelete})
				expect(t, s, "configuration_change", `{"flags":{"on":{"type":"delete"}}}`)
				refused(t, client, "later", connect.CodeNotFound)
				r.apply(flags.Commit{Set: "later", Op: flags.OpCreate})
				r.put("later", "again", `{"variants":{"on":true}}`)
				expect(t, s, "configuration_change", `{"flags":{"again":{"type":"write"}}}`) // who was there has stayed
				_ = s.Close()
			})
		})
	}
}

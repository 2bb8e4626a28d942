package evalsvc_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"connectrpc.com/connect"

	"github.com/holdfast-flags/holdfast/flags"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// narrow keeps whoever does not say "Bearer wide" out of the set shop.
type narrow struct{}

func (narrow) Authenticate(c authz.Credentials) (authz.Principal, error) {
	return authz.Principal{ID: c.Authorization}, nil
}

func (narrow) Decide(p authz.Principal, _ authz.Action, set string) error {
	if set == "shop" && p.ID != "Bearer wide" {
		return fmt.Errorf("%w: not in the shop", authz.ErrDenied)
	}
	return nil
}

// TestStreamThatNamesNoSet: it hears of sets that others ask about, before it came or
// after, as far as it may read them itself, whoever asks; what ends it is an error, so that it comes back.
func TestStreamThatNamesNoSet(t *testing.T) {
	r := serve(t, evaluator.Options{Policy: narrow{}}, evalsvc.Options{})
	client := v2.NewServiceClient(h2c(t), r.url)
	open := func(key string) *connect.ServerStreamForClient[v2.EventStreamResponse] {
		req := connect.NewRequest(&v2.EventStreamRequest{})
		req.Header().Set("Authorization", key)
		s, err := client.EventStream(t.Context(), req)
		if err != nil || !s.Receive() || s.Msg().GetType() != "provider_ready" {
			t.Fatalf("%v, %v", s.Msg(), err)
		}
		return s
	}
	// changed receives until it hears of a flag, and returns all it heard of.
	changed := func(s *connect.ServerStreamForClient[v2.EventStreamResponse], until string) map[string]bool {
		heard := map[string]bool{}
		for !heard[until] {
			if !s.Receive() {
				t.Fatalf("the stream ended with %v before %s", s.Err(), until)
			}
			for key := range s.Msg().GetData().GetFields()["flags"].GetStructValue().GetFields() {
				heard[key] = true
			}
		}
		return heard
	}
	early, kept := open("Bearer wide"), open("Bearer narrow")
	ask := connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: "on"})
	ask.Header().Set("Flagd-Selector", "flagSetId=shop")
	ask.Header().Set("Authorization", "Bearer wide")
	if _, err := client.ResolveBoolean(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	late := open("Bearer wide")

	r.put("shop", "sold", `{"variants":{"on":true}}`)
	changed(early, "sold")
	changed(late, "sold")
	r.put("default", "later", `{"variants":{"on":true}}`)
	changed(early, "later")
	if heard := changed(kept, "later"); heard["sold"] {
		t.Errorf("a stream heard of a set that it may not read: %v", heard)
	}

	r.svc.Drain()
	for _, s := range []*connect.ServerStreamForClient[v2.EventStreamResponse]{early, late, kept} {
		last := ""
		for s.Receive() {
			last = s.Msg().GetType()
		}
		if last != "provider_shutdown" || connect.CodeOf(s.Err()) != connect.CodeUnavailable {
			t.Errorf("it ended with %s, %v; want provider_shutdown, then unavailable", last, s.Err())
		}
		_ = s.Close()
	}
}

// TestStreamWithoutADefaultSet: who names no set on the stream, but one in each question,
// needs no default set; nor does one who waits for that.
func TestStreamWithoutADefaultSet(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig, hc *http.Client) {
		r.apply(flags.Commit{Set: "default", Op: flags.OpDelete})
		client := v2.NewServiceClient(hc, r.url)
		s, err := client.EventStream(t.Context(), connect.NewRequest(&v2.EventStreamRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, "provider_ready", "")
		ask := connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: "on"})
		ask.Header().Set("Flagd-Selector", "shop")
		if _, err := client.ResolveBoolean(t.Context(), ask); err != nil {
			t.Fatal(err)
		}
		r.put("shop", "on", `{"variants":{"on":true}}`)
		expect(t, s, "configuration_change", `{"flags":{"on":{"type":"update"}}}`)

		created := r.apply(flags.Commit{Set: "default", Op: flags.OpCreate})
		ask = connect.NewRequest(&v2.ResolveBooleanRequest{FlagKey: "on"})
		ask.Header().Set("Holdfast-Revision", created.Token().String())
		if _, err := client.ResolveBoolean(t.Context(), ask); connect.CodeOf(err) != connect.CodeNotFound {
			t.Fatal(err)
		}
		r.put("default", "on", `{"variants":{"on":true}}`)
		expect(t, s, "configuration_change", `{"flags":{"on":{"type":"write"}}}`)
		_ = s.Close()
	})
}

// TestChangeDuringTheFirstQuestion: what happens between the look that the first question
// about a set takes and the moment that its changes are heeded is told, too: the answer is
// in somebody's cache by then.
func TestChangeDuringTheFirstQuestion(t *testing.T) {
	virtual(t, func(t *testing.T, r *rig, hc *http.Client) {
		s, err := v2.NewServiceClient(hc, r.url).EventStream(t.Context(), connect.NewRequest(&v2.EventStreamRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, "provider_ready", "")
		r.put("shop", "gone", `{"variants":{"on":true}}`)
		call, err := r.eval.Begin(t.Context(), http.Header{"Flagd-Selector": {"flagSetId=shop"}}, authz.Evaluate, "")
		if err != nil {
			t.Fatal(err)
		}
		r.delete("shop", "gone")
		r.put("shop", "new", `{"variants":{"on":true}}`)
		synctest.Wait()
		r.svc.Heed(&call)
		expect(t, s, "configuration_change", `{"flags":{"gone":{"type":"delete"},"new":{"type":"write"},"on":{"type":"update"}}}`)
		_ = s.Close()
	})
}

// TestStreamOfARevokedKey: it ends at once, and says why.
func TestStreamOfARevokedKey(t *testing.T) {
	records := memstore.New(nil)
	defer func() { _ = records.Close() }()
	keys, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: records})
	if err != nil {
		t.Fatal(err)
	}
	text, key, err := authz.CreateKey(t.Context(), keys.Records(), authz.Key{Role: authz.Evaluator})
	if err != nil {
		t.Fatal(err)
	}
	r := serve(t, evaluator.Options{Policy: keys}, evalsvc.Options{})
	for name, opts := range map[string][]connect.ClientOption{"Connect": nil, "gRPC": {connect.WithGRPC()}} {
		req := connect.NewRequest(&v2.EventStreamRequest{})
		req.Header().Set("Authorization", "Bearer "+text)
		s, err := v2.NewServiceClient(h2c(t), r.url, opts...).EventStream(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, s, "provider_ready", "")
		if _, err := authz.RevokeKey(t.Context(), keys.Records(), key.ID, "ana"); err != nil {
			t.Fatal(err)
		}
		for s.Receive() {
		}
		if connect.CodeOf(s.Err()) != connect.CodeUnauthenticated || !strings.Contains(s.Err().Error(), "revoked") {
			t.Errorf("%s: it ended with %v", name, s.Err())
		}
		_ = s.Close()
		if text, key, err = authz.CreateKey(t.Context(), keys.Records(), authz.Key{Role: authz.Evaluator}); err != nil {
			t.Fatal(err)
		}
	}
}

package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
)

// echoes are flags that answer what an attribute of the context is.
const echoes = `{"flags":{
	"both":   {"state":"ENABLED","defaultVariant":"none","variants":{"none":"none","client":"client","static":"static","header":"header"},"targeting":{"var":"both"}},
	"static": {"state":"ENABLED","defaultVariant":"none","variants":{"none":"none","client":"client","static":"static","header":"header"},"targeting":{"var":"static"}},
	"header": {"state":"ENABLED","defaultVariant":"none","variants":{"none":"none","client":"client","static":"static","header":"header"},"targeting":{"var":"header"}},
	"client": {"state":"ENABLED","defaultVariant":"none","variants":{"none":"none","client":"client","static":"static","header":"header"},"targeting":{"var":"client"}}
}}`

// TestContext: header, then static, then what the client says, over every protocol; a
// header that is not sent says nothing. Clients in process are sent the static context.
func TestContext(t *testing.T) {
	p := start(t, "--store=memory:", "--seed", writeFile(t, "flags.json", echoes),
		"--context", "both=static", "--context", "static=static",
		"--context-from-header", "X-Both=both", "--context-from-header", "x-header=header")
	const own = `{"both":"client","static":"client","header":"client","client":"client"}`
	for _, tc := range []struct {
		key, context string
		sent         bool
		want         string
	}{
		{"both", own, true, "header"},
		{"both", own, false, "static"},
		{"both", `{}`, true, "header"},
		{"both", `{}`, false, "static"},
		{"static", own, true, "static"},
		{"header", own, true, "header"},
		{"header", own, false, "client"},
		{"header", `{}`, false, "none"},
		{"client", own, true, "client"},
		{"client", `{}`, true, "none"},
	} {
		header := http.Header{"Content-Type": {"application/json"}}
		if tc.sent {
			header["X-Both"], header["X-Header"] = []string{"header"}, []string{"header"}
		}
		for what, url := range map[string]string{
			"OFREP": p.page + "/ofrep/v1/evaluate/flags/" + tc.key, "v2": "http://" + p.eval + "/flagd.evaluation.v2.Service/ResolveString",
			"v1": "http://" + p.eval + "/flagd.evaluation.v1.Service/ResolveString",
		} {
			if got := resolve(t, url, `{"flagKey":"`+tc.key+`","context":`+tc.context+`}`, header); got != tc.want {
				t.Errorf("%s over %s with %s, header sent: %v; got %q, want %q", tc.key, what, tc.context, tc.sent, got, tc.want)
			}
		}
	}

	conn, err := grpc.NewClient(p.grpc, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	stream, err := pb.NewFlagSyncServiceClient(conn).SyncFlags(t.Context(), &pb.SyncFlagsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first, err := stream.Recv()
	if got := first.GetSyncContext().AsMap(); err != nil || len(got) != 2 || got["both"] != "static" || got["static"] != "static" {
		t.Errorf("sync_context is %v, %v", got, err)
	}
}

// resolve returns the value of an answer.
func resolve(t *testing.T, url, body string, header http.Header) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header.Clone()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Value string }
	if err := json.Unmarshal(text, &answer); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", url, resp.StatusCode, text)
	}
	return answer.Value
}

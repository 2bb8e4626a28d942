package router_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// reply is an answer whose body the test closes when it ends.
type reply struct {
	status int
	header http.Header
	body   io.Reader
}

// TestOFREP: evaluation beside the page, by pages of an origin that was named; streams
// do not keep a router from stopping, and end with a word.
func TestOFREP(t *testing.T) {
	mem := memstore.New(nil)
	create(t, mem, "default")
	token := write(t, mem, "default", 1).Token().String()
	address, stop := serveHTTP(t, router.Options{Store: mem, CORSOrigins: []string{"https://app.example"}, OFREPRate: 1000, DrainTimeout: time.Minute})
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	ask := func(method, path, origin string, headers ...string) reply {
		t.Helper()
		req, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, "http://"+address+path, strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", origin)
		for i := 0; i < len(headers); i += 2 {
			req.Header.Set(headers[i], headers[i+1])
		}
		resp, err := transport.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = resp.Body.Close() })
		return reply{resp.StatusCode, resp.Header, resp.Body}
	}
	const bulk = "/ofrep/v1/evaluate/flags"
	for origin, allowed := range map[string]string{"https://app.example": "https://app.example", "https://evil.example": ""} {
		preflight := ask(http.MethodOptions, bulk, origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,if-none-match")
		if got := preflight.header.Get("Access-Control-Allow-Origin"); got != allowed || (preflight.header.Get("Access-Control-Allow-Headers") != "") != (allowed != "") {
			t.Errorf("preflight from %s: %v", origin, preflight.header)
		}
		resp := ask(http.MethodPost, bulk, origin, "Holdfast-Revision", token)
		if resp.status != http.StatusOK || resp.header.Get("Holdfast-Revision") != token || resp.header.Get("Access-Control-Allow-Origin") != allowed {
			t.Errorf("from %s: %d %v", origin, resp.status, resp.header)
		}
		// The rest of the listener is nobody else's.
		if got := ask(http.MethodGet, "/api/v1/sets", origin).header.Get("Access-Control-Allow-Origin"); got != "" {
			t.Errorf("the API allows %q", got)
		}
	}
	stream := ask(http.MethodGet, "/ofrep/v1/sse", "https://app.example")
	in := bufio.NewReader(stream.body)
	if line, err := in.ReadString('\n'); err != nil || line != "id: "+token+"\n" || stream.header.Get("Access-Control-Allow-Origin") == "" {
		t.Fatalf("the stream begins with %q, %v, %v", line, err, stream.header)
	}
	stop()
	rest, err := io.ReadAll(in)
	if err != nil || !strings.Contains(string(rest), "\nretry: ") {
		t.Errorf("the stream ends with %q, %v", rest, err)
	}
}

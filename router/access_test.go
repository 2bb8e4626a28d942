package router_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// buffer is a log that is written while it is read.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// caller is one who asks, and what they may: letters of actions, sets (none: all).
type caller struct {
	name, key, may string
	set            string
}

// guarded is a router with access control, on loopback, and keys of every role and scope.
type guarded struct {
	*router.Router
	mem              *memstore.Store
	keys             *authz.Keys
	log              *buffer
	grpc, http, eval string // addresses
	conn             *grpc.ClientConn
	callers          []caller
}

func guard(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{mem: memstore.New(nil), log: &buffer{}}
	create(t, g.mem, "shop")
	write(t, g.mem, "shop", 1)
	log := slog.New(slog.NewTextHandler(g.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if g.keys, err = authz.NewKeys(t.Context(), authz.KeysOptions{Records: g.mem, Logger: log}); err != nil {
		t.Fatal(err)
	}
	g.Router = router.New(router.Options{Store: g.mem, Policy: g.keys, Records: g.keys.Records(), Logger: log})
	on := router.Listeners{GRPC: listen(t), HTTP: listen(t), Eval: listen(t)}
	g.grpc, g.http, g.eval = on.GRPC.Addr().String(), on.HTTP.Addr().String(), on.Eval.Addr().String()
	run(t, g.Router, on)
	if g.conn, err = grpc.NewClient(g.grpc, grpc.WithTransportCredentials(insecure.NewCredentials())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.conn.Close() })
	g.callers = append(g.callers, caller{name: "anonymous"})
	for role, may := range map[authz.Role]string{authz.Reader: "rsl", authz.Evaluator: "es", authz.Editor: "rslew", authz.Administrator: "rslewa"} {
		for _, set := range []string{"", "shop", "other"} {
			g.callers = append(g.callers, caller{fmt.Sprintf("%s of %q", role, set), g.key(t, role, set), may, set})
		}
	}
	return g
}

// key makes a key.
func (g *guarded) key(t *testing.T, role authz.Role, set string) string {
	t.Helper()
	k := authz.Key{Role: role}
	if set != "" {
		k.Sets = []string{set}
	}
	text, _, err := authz.CreateKey(t.Context(), g.keys.Records(), k)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var letters = map[authz.Action]string{authz.Read: "r", authz.Sync: "s", authz.List: "l", authz.Evaluate: "e", authz.Write: "w", authz.Admin: "a"}

// allows is what the promise is: said here once more, and not by the code that keeps it.
func (c caller) allows(rule authz.Rule, set string) bool {
	if rule.Public {
		return true
	}
	scoped := c.set != "" && c.set != set && (set != "" || rule.Action != authz.List)
	return c.key != "" && strings.Contains(c.may, letters[rule.Action]) && !scoped
}

// TestPermissionsOfMethods calls every method that is registered, as every role of every
// scope.
func TestPermissionsOfMethods(t *testing.T) {
	g := guard(t)
	for name, info := range g.Services() {
		d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range info.Methods {
			full := "/" + name + "/" + m.Name
			rule, ok := authz.RuleOf(full)
			if !ok {
				t.Errorf("%s is not in the table of permissions", full)
				continue
			}
			method := d.(protoreflect.ServiceDescriptor).Methods().ByName(protoreflect.Name(m.Name))
			req, set := requestOf(t, method)
			for _, c := range g.callers {
				err := g.call(t, method, full, c.key, req)
				want := codes.OK
				switch {
				case c.allows(rule, set):
				case c.key == "":
					want = codes.Unauthenticated
				default:
					want = codes.PermissionDenied
				}
				got := status.Code(err)
				if refused := got == codes.Unauthenticated || got == codes.PermissionDenied; refused != (want != codes.OK) || refused && got != want {
					t.Errorf("%s by %s: %v, want %s", full, c.name, err, want)
				}
			}
		}
	}
}

// requestOf returns a request about the set shop, and "" where it is about none.
func requestOf(t *testing.T, m protoreflect.MethodDescriptor) (*dynamicpb.Message, string) {
	t.Helper()
	req := dynamicpb.NewMessage(m.Input())
	fields := m.Input().Fields()
	if m.Name() == "Apply" {
		c := flags.Commit{Set: "shop", ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey("n")}}}
		encoded, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		req.Set(fields.ByName("commit"), protoreflect.ValueOfBytes(encoded))
		return req, "shop"
	}
	if f := fields.ByName("hello"); f != nil {
		hello := req.Mutable(f).Message()
		hello.Set(f.Message().Fields().ByName("set"), protoreflect.ValueOfString("shop"))
		hello.Set(f.Message().Fields().ByName("version"), protoreflect.ValueOfUint32(1))
		return req, "shop"
	}
	if f := fields.ByName("version"); f != nil && f.Kind() == protoreflect.Uint32Kind {
		req.Set(f, protoreflect.ValueOfUint32(1))
	}
	if f := fields.ByName("set"); f != nil {
		req.Set(f, protoreflect.ValueOfString("shop"))
		return req, "shop"
	}
	if f := fields.ByName("selector"); f != nil {
		req.Set(f, protoreflect.ValueOfString("flagSetId=shop"))
		return req, "shop"
	}
	if m.FullName() == "flagd.sync.v1.FlagSyncService.GetMetadata" {
		return req, "shop" // by the header, as for all
	}
	return req, ""
}

// call makes a call and returns how it was answered first.
func (g *guarded) call(t *testing.T, m protoreflect.MethodDescriptor, full, key string, req proto.Message) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "flagd-selector", "flagSetId=shop")
	if key != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key)
	}
	resp := dynamicpb.NewMessage(m.Output())
	if !m.IsStreamingClient() && !m.IsStreamingServer() {
		return g.conn.Invoke(ctx, full, req, resp)
	}
	desc := &grpc.StreamDesc{ClientStreams: m.IsStreamingClient(), ServerStreams: m.IsStreamingServer()}
	stream, err := g.conn.NewStream(ctx, desc, full)
	if err != nil {
		return err
	}
	_ = stream.SendMsg(req) // a refusal is what RecvMsg returns
	return stream.RecvMsg(resp)
}

// TestPermissionsOfRoutes does the same over HTTP: the REST API, OFREP and flagd's
// evaluation protocols.
func TestPermissionsOfRoutes(t *testing.T) {
	g := guard(t)
	patterns := append(g.Routes(), "POST /ofrep/v1/evaluate/flags", "POST /ofrep/v1/evaluate/flags/{key}", "GET /ofrep/v1/sse")
	patterns = append(patterns, g.Procedures()...)
	client := &http.Client{Transport: &http.Transport{}, Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	for _, pattern := range patterns {
		rule, ok := authz.RuleOf(pattern)
		if !ok {
			t.Errorf("%s is not in the table of permissions", pattern)
			continue
		}
		set := "shop"
		if strings.Contains(pattern, " /api/") && !strings.Contains(pattern, "{set}") {
			set = ""
		}
		for _, c := range g.callers {
			want := 0
			switch {
			case c.allows(rule, set):
			case c.key == "":
				want = http.StatusUnauthorized
			default:
				want = http.StatusForbidden
			}
			got, text := g.ask(t, client, pattern, c.key)
			if refused := got == http.StatusUnauthorized || got == http.StatusForbidden; refused != (want != 0) || refused && got != want {
				t.Errorf("%s by %s: %d %s, want %d", pattern, c.name, got, text, want)
			}
		}
	}
}

// ask makes a request and returns the status, that of the stream where it is one.
func (g *guarded) ask(t *testing.T, client *http.Client, pattern, key string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	method, path, isRoute := strings.Cut(pattern, " ")
	url, body := "", []byte("{}")
	if isRoute {
		url = "http://" + g.http + strings.NewReplacer("{set}", "shop", "{id}", "x", "{key}", "n", "{name}", "n", "{entity}", "e").Replace(path)
	} else {
		method, url = http.MethodPost, "http://"+g.eval+pattern
	}
	req, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	contentType := "application/json"
	if strings.HasSuffix(pattern, "/EventStream") {
		contentType = "application/connect+json"
		body = append([]byte{0, 0, 0, 0, 2}, body...)
	}
	if method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		req, _ = http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Flagd-Selector", "flagSetId=shop")
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if contentType == "application/connect+json" {
		return streamStatus(t, resp)
	}
	text := make([]byte, 200)
	n := 0
	if resp.StatusCode != http.StatusOK { // else it may be a stream
		n, _ = resp.Body.Read(text)
	}
	return resp.StatusCode, string(text[:n])
}

// streamStatus reads the first message of a Connect stream, whose status is always 200.
func streamStatus(t *testing.T, resp *http.Response) (int, string) {
	t.Helper()
	var head [5]byte
	if err := readFull(resp, head[:]); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[1:]))
	if err := readFull(resp, body); err != nil {
		t.Fatal(err)
	}
	switch text := string(body); {
	case strings.Contains(text, `"unauthenticated"`):
		return http.StatusUnauthorized, text
	case strings.Contains(text, `"permission_denied"`):
		return http.StatusForbidden, text
	default:
		return http.StatusOK, text
	}
}

func readFull(resp *http.Response, to []byte) error {
	for n := 0; n < len(to); {
		m, err := resp.Body.Read(to[n:])
		if n += m; err != nil && n < len(to) {
			return err
		}
	}
	return nil
}

// TestRevokedInTheMiddle: a watch ends as soon as its key does, and the client is told why;
// no secret is in the log.
func TestRevokedInTheMiddle(t *testing.T) {
	g := guard(t)
	text, key, err := authz.CreateKey(t.Context(), g.keys.Records(), authz.Key{Role: authz.Evaluator})
	if err != nil {
		t.Fatal(err)
	}
	client, err := grpcstore.Open("grpc://"+g.grpc, &grpcstore.Options{APIKey: text, HeadTimeout: time.Minute, BulkTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	stream, err := client.Watch(t.Context(), "shop", flags.Head{Set: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if ev, err := stream.Next(); err != nil || ev.Head.Set != "shop" {
		t.Fatalf("%+v, %v", ev, err)
	}
	if _, err := authz.RevokeKey(t.Context(), g.keys.Records(), key.ID, "ana"); err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = stream.Next()
	}
	if flags.ClassOf(err) != flags.ClassDenied || !strings.Contains(err.Error(), "revoked") {
		t.Errorf("the watch ended with %v", err)
	}
	if _, err := client.Head(t.Context(), "shop"); flags.ClassOf(err) != flags.ClassDenied {
		t.Errorf("a head after that: %v", err)
	}
	for _, c := range append(g.callers, caller{key: text}) {
		if len(c.key) > 14 && strings.Contains(g.log.String(), c.key[14:]) {
			t.Errorf("the secret of %s is in the log", c.name)
		}
	}
}

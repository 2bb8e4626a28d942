package evalsvc_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/evalsvc"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// definitions are a flag of each kind that the protocols tell apart.
var definitions = map[string]string{
	"on":       `{"state":"ENABLED","defaultVariant":"on","variants":{"on":true,"off":false},"metadata":{"owner":"team-a","limit":9007199254740991,"ratio":0.1,"beta":true}}`,
	"text":     `{"state":"ENABLED","defaultVariant":"a","variants":{"a":"é-0-日"}}`,
	"int":      `{"state":"ENABLED","defaultVariant":"n","variants":{"n":9007199254740991}}`,
	"big":      `{"state":"ENABLED","defaultVariant":"n","variants":{"n":9007199254740992}}`,
	"pi":       `{"state":"ENABLED","defaultVariant":"n","variants":{"n":3.14}}`,
	"object":   `{"state":"ENABLED","defaultVariant":"o","variants":{"o":{"a":[1,null,"x",{"b":false}],"n":0.1}}}`,
	"disabled": `{"state":"DISABLED","defaultVariant":"on","variants":{"on":true,"off":false}}`,
	"none":     `{"state":"ENABLED","variants":{"on":true,"off":false}}`,
	"pro":      `{"state":"ENABLED","defaultVariant":"off","variants":{"on":true,"off":false},"targeting":{"if":[{"and":[{"==":[{"var":"user.plan"},"pro"]},{"in":["x",{"var":"tags"}]}]},"on","off"]}}`,
	"mine":     `{"state":"ENABLED","defaultVariant":"off","variants":{"on":true,"off":false}}`,
}

// faulty are flags that no store takes from a writer, but another one may hold.
var faulty = map[string]string{
	"list":   `{"state":"ENABLED","defaultVariant":"l","variants":{"l":[1,2]}}`,
	"broken": `{"state":"ENABLED","defaultVariant":"gone","variants":{"on":true}}`,
	"wrong":  `{"state":"ENABLED","defaultVariant":"on","variants":{"on":true},"targeting":{"if":[true,"nothing"]}}`,
}

// rig is a served router without the rest of it.
type rig struct {
	t     testing.TB
	store *memstore.Store
	hub   *hub.Hub
	eval  *evaluator.Evaluator
	svc   *evalsvc.Service
	guard authz.Policy
	http  *http.Server
	url   string
}

func newRig(t testing.TB, eval evaluator.Options, opts evalsvc.Options) *rig {
	r := &rig{t: t, store: memstore.New(nil), guard: eval.Policy}
	if r.guard == nil {
		r.guard = authz.Open{}
	}
	r.hub = hub.New(r.store, nil)
	eval.Hub = r.hub
	r.eval = evaluator.New(eval)
	opts.Evaluator = r.eval
	r.svc = evalsvc.New(opts)
	for _, set := range []string{"default", "shop"} {
		r.apply(flags.Commit{Set: set, Op: flags.OpCreate})
	}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "region"}, Bytes: []byte(`"eu"`)}}})
	for key, def := range definitions {
		r.put("default", key, def)
	}
	for key, def := range faulty {
		r.slip("default", key, def)
	}
	r.apply(flags.Commit{Set: "default", Changes: []flags.Mutation{{Key: flags.OverrideKey("mine", "me"), Bytes: []byte(`{"variant":"on"}`)}}})
	r.put("shop", "on", `{"state":"ENABLED","defaultVariant":"off","variants":{"on":true,"off":false}}`)
	return r
}

// serve serves the rig on a port of this machine until the test ends.
func serve(t testing.TB, eval evaluator.Options, opts evalsvc.Options) *rig {
	t.Helper()
	r := newRig(t, eval, opts)
	lis, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + lis.Addr().String()
	served := r.serveOn(lis)
	t.Cleanup(func() {
		r.close()
		<-served
	})
	return r
}

func (r *rig) serveOn(lis net.Listener) <-chan struct{} {
	r.http = &http.Server{Handler: authz.Serve(r.guard, r.svc), Protocols: protocols(), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute, ReadTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = r.http.Serve(lis)
	}()
	return served
}

func (r *rig) close() {
	_ = r.http.Close()
	r.eval.Close()
	r.hub.Close()
	_ = r.store.Close()
}

func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	p.SetUnencryptedHTTP2(true)
	return p
}

// h2c returns a client that speaks nothing but HTTP/2, as gRPC must.
func h2c(t testing.TB) *http.Client {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	tr := &http.Transport{Protocols: p}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func h1(t testing.TB) *http.Client {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr}
}

func (r *rig) apply(c flags.Commit) flags.Head {
	r.t.Helper()
	c.ID = flags.NewCommitID()
	accepted, err := r.store.Apply(context.Background(), c)
	if err != nil {
		r.t.Fatal(err)
	}
	return accepted.Head()
}

// slip writes a definition past all checks, as a replica gets it.
func (r *rig) slip(set, key, def string) {
	r.t.Helper()
	d, err := flags.ParseDefinition([]byte(def))
	if err != nil {
		r.t.Fatal(err)
	}
	u, err := r.store.Fetch(context.Background(), set, flags.Head{})
	if err != nil {
		r.t.Fatal(err)
	}
	contents, err := store.Assemble(set, u)
	if err != nil {
		r.t.Fatal(err)
	}
	c := flags.Commit{Set: set, ID: flags.NewCommitID(), Changes: []flags.Mutation{{Key: flags.FlagKey(key), Bytes: d.Bytes()}}, Time: time.Now()}
	if err := contents.Seal(&c); err != nil {
		r.t.Fatal(err)
	}
	if err := r.store.Append(context.Background(), set, []flags.Commit{c}); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) put(set, key, def string) flags.Head {
	r.t.Helper()
	d, err := flags.ParseDefinition([]byte(def))
	if err != nil {
		r.t.Fatal(err)
	}
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey(key), Bytes: d.Bytes()}}})
}

func (r *rig) delete(set, key string) flags.Head {
	return r.apply(flags.Commit{Set: set, Changes: []flags.Mutation{{Key: flags.FlagKey(key)}}})
}

func (r *rig) head(set string) flags.Head {
	r.t.Helper()
	head, err := r.store.Head(context.Background(), set)
	if err != nil {
		r.t.Fatal(err)
	}
	return head
}

// post sends a body as it is.
func (r *rig) post(client *http.Client, path, contentType string, body []byte, header ...string) (status int, text string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := client.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return res.StatusCode, string(answer)
}

package browsertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// chrome is the one browser of the package; each test has a tab of its own in it.
var chrome context.Context

func TestMain(m *testing.M) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(2*time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("hide-scrollbars", true))
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, end := chromedp.NewContext(allocator, chromedp.WithErrorf(func(string, ...any) {})) // of events that it does not know
	chrome = browser                                                                             //nolint:fatcontext // it ends below
	if err := chromedp.Run(browser); err != nil {
		fmt.Fprintln(os.Stderr, "no browser: install chromium, as .ci/deps does:", err)
		os.Exit(1)
	}
	code := m.Run()
	end()
	stop()
	os.Exit(code)
}

// patience bounds every wait. Nothing here takes more than a second by itself.
const patience = time.Minute

// host is a router on addresses of this machine.
type host struct {
	t      *testing.T
	store  *memstore.Store
	url    string
	addr   string
	grpc   string // address that SDKs follow
	router *router.Router
	stop   func()
}

// serve starts a router with a store in memory, into which a flag file was
// imported.
func serve(t *testing.T, file string, change func(*router.Options)) *host {
	t.Helper()
	h := prepare(t, file)
	h.begin(change)
	return h
}

// prepare returns a host that has its flags and does not serve yet.
func prepare(t *testing.T, file string) *host {
	t.Helper()
	st := memstore.New(nil)
	doc, err := flagdfile.Parse([]byte(file), "flags.json")
	if err != nil {
		t.Fatal(err)
	}
	c := flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: flags.OpCreate, Actor: flags.Actor{Kind: "user", ID: "Import"}, Reason: "the first flags"}
	for _, e := range doc.Entries() {
		c.Changes = append(c.Changes, flags.Mutation{Key: e.Key, Bytes: e.Bytes})
	}
	if _, err := st.Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	addr, err := testenv.FreeAddr() // to which it comes back
	if err != nil {
		t.Fatal(err)
	}
	return &host{t: t, store: st, addr: addr}
}

// begin serves until the test ends.
func (h *host) begin(change func(*router.Options)) {
	h.t.Helper()
	h.start(change)
	h.t.Cleanup(func() { h.stop() })
}

// start begins to serve, at the same address as before.
func (h *host) start(change func(*router.Options)) {
	h.t.Helper()
	var l net.Listener
	var err error
	h.eventually("listen again", func() bool {
		l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", h.addr)
		return err == nil
	})
	h.addr, h.url = l.Addr().String(), "http://"+l.Addr().String()
	g, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	h.grpc = g.Addr().String()
	opts := router.Options{Store: kept{h.store}, StoreKind: "memory", Version: "test", DrainTimeout: 100 * time.Millisecond}
	if change != nil {
		change(&opts)
	}
	h.router = router.New(opts)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.router.Serve(ctx, router.Listeners{HTTP: l, GRPC: g}) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.t.Errorf("serve: %v", err)
		}
	})
}

// kept is a store that outlives the routers that close it.
type kept struct{ *memstore.Store }

func (kept) Close() error { return nil }

// edit changes a flag behind the page's back.
func (h *host) edit(actor, key string, change func(flags.Definition) flags.Definition) {
	h.t.Helper()
	d := h.definition(key)
	after := change(d)
	h.apply(actor, flags.Mutation{Key: flags.FlagKey(key), Bytes: after.Bytes()})
}

func (h *host) apply(actor string, changes ...flags.Mutation) {
	h.t.Helper()
	_, err := h.store.Apply(h.t.Context(), flags.Commit{
		Set: "default", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: actor}, Changes: changes,
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) entry(key flags.EntryKey) []byte {
	h.t.Helper()
	u, err := h.store.Fetch(h.t.Context(), "default", flags.Head{})
	if err != nil {
		h.t.Fatal(err)
	}
	contents := flags.ContentsOf(u.Checkpoint)
	for i := range u.Commits {
		if err := contents.Apply(&u.Commits[i]); err != nil {
			h.t.Fatal(err)
		}
	}
	e, _ := contents.Get(key)
	return e.Bytes
}

func (h *host) definition(key string) flags.Definition {
	h.t.Helper()
	d, err := flags.ParseDefinition(h.entry(flags.FlagKey(key)))
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *host) eventually(what string, holds func() bool) {
	h.t.Helper()
	end := time.NewTimer(patience)
	defer end.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for !holds() {
		select {
		case <-look.C:
		case <-end.C:
			h.t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// tab is a tab of the browser.
type tab struct {
	t    *testing.T
	ctx  context.Context
	host *host

	mu      sync.Mutex
	told    []string // what the console was told
	expects []string // parts of messages that are no fault here
}

// open opens a page in a new tab, without the cookies of others.
func (h *host) open(t *testing.T, path string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(chrome)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, host: h}
	chromedp.ListenTarget(ctx, b.listen)
	if err := chromedp.Run(ctx, network.ClearBrowserCookies(), log.Enable(), runtime.Enable()); err != nil { // the first run opens the tab, which must not end with it
		t.Fatal(err)
	}
	b.visit(path)
	t.Cleanup(b.quiet)
	return b
}

// listen notes what a person with the developer tools open would see in red.
func (b *tab) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			args, err := json.Marshal(e.Args)
			text = fmt.Sprintf("console: %s %v", args, err)
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError || e.Entry.Source == log.SourceSecurity {
			text = fmt.Sprintf("log: %s: %s %s", e.Entry.Source, e.Entry.Text, e.Entry.URL)
		}
	}
	if text != "" {
		b.mu.Lock()
		b.told = append(b.told, text)
		b.mu.Unlock()
	}
}

// expect says that messages with this text are no fault of the page.
func (b *tab) expect(text ...string) { b.expects = append(b.expects, text...) }

// quiet fails the test if the console was told of anything that was not expected.
func (b *tab) quiet() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.told {
		if !b.expected(text) {
			b.t.Errorf("the browser says: %s", text)
		}
	}
}

func (b *tab) expected(text string) bool {
	for _, e := range b.expects {
		if strings.Contains(text, e) {
			return true
		}
	}
	return false
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			b.t.Logf("the page is:\n%s", b.text("main"))
		}
		b.t.Fatal(err)
	}
}

// visit loads a page and waits until its scripts have begun and, where it follows
// a set, are connected.
func (b *tab) visit(path string) {
	b.t.Helper()
	b.run(chromedp.Navigate(b.host.url + path))
	b.until(`!document.body.dataset.liveFrom || document.getElementById("live").dataset.state === "on"`)
}

// until waits until an expression is true, on this page or the one it leads to.
func (b *tab) until(js string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		holds := false
		err := chromedp.Run(ctx, chromedp.Evaluate(js, &holds))
		if err == nil && holds {
			return
		}
		select {
		case <-look.C: // an error may be that of a page being left
		case <-ctx.Done():
			b.t.Fatalf("not within %v: %s (%v)\nthe page is:\n%s", patience, js, err, b.text("body"))
		}
	}
}

// shows waits until an element's text contains want.
func (b *tab) shows(selector, want string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`[...document.querySelectorAll(%q)].some((e) => e.textContent.includes(%s))`, selector, quote(want)))
}

func quote(s string) string {
	text, _ := json.Marshal(s) // strings always can be
	return string(text)
}

func (b *tab) eval(js string, out any) {
	b.t.Helper()
	b.run(chromedp.Evaluate(js, out))
}

func (b *tab) text(selector string) string {
	var text string
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf(`document.querySelector(%q)?.innerText ?? ""`, selector), &text)); err != nil {
		return err.Error()
	}
	return text
}

// click clicks an element, again where the page was replaced under it before it was.
func (b *tab) click(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		err := chromedp.Run(ctx, chromedp.Click(selector, chromedp.ByQuery, chromedp.NodeVisible))
		if err == nil {
			return
		}
		if !strings.Contains(err.Error(), "-32000") { // what the browser says of a node that is gone
			b.t.Fatalf("click %s: %v\nthe page is:\n%s", selector, err, b.text("body"))
		}
	}
}

// fill types into a field, in place of what is there.
func (b *tab) fill(selector, text string) {
	b.t.Helper()
	b.run(chromedp.WaitVisible(selector, chromedp.ByQuery))
	b.eval(fmt.Sprintf(`{ const f = document.querySelector(%q); f.focus(); f.value = %s; f.dispatchEvent(new Event("input", { bubbles: true })); }`, selector, quote(text)), nil)
}

// press types keys wherever the focus is.
func (b *tab) press(keys string) {
	b.t.Helper()
	b.run(chromedp.KeyEvent(keys))
}

func urlEscape(s string) string { return url.QueryEscape(s) }

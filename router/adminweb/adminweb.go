// Package adminweb is the router's page for people: the flags of every set, what
// they answer to whom and why, who changed them, and forms to change them with.
//
// Pages are made on the server from the newest published state of a set, which is
// kept compiled in memory. Scripts only add to them: a page can be read without.
// A form says which revision of an entry it was made from; if somebody changed the
// entry meanwhile, both versions are shown and nothing is overwritten.
package adminweb

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store"
)

// Store is what the page reads and writes.
type Store interface {
	flags.Source
	store.Writer
	store.History
}

// Options configure a Page. Store and Hub are required.
type Options struct {
	Store Store
	Hub   *hub.Hub // over Store
	// Policy decides who may do what. Default authz.Open.
	Policy authz.Policy
	// Records are where API keys are kept. Default: none, and no page for them.
	Records store.Records
	// Login makes people log in with an API key before they see anything.
	Login bool
	// SecureCookies keeps cookies to HTTPS: where the page is served by TLS.
	SecureCookies bool
	// Health returns how the router does. Default: nothing beyond the sets.
	Health func() Health
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger
}

// limit bounds the work on one request.
const limit = 10 * time.Second

// Page is the admin page as an http.Handler. Make one with New.
type Page struct {
	opts     Options
	mux      http.ServeMux
	secret   [32]byte // of form tokens; another one after a restart
	sessions sessions
	drain    chan struct{} // closed when watching pages shall leave
	drained  sync.Once

	mu     sync.Mutex
	boards map[string]*board // of sets that exist
	warmed int               // entries of sets that were made ready before anybody asked
}

// New returns a page.
func New(opts Options) *Page {
	if opts.Policy == nil {
		opts.Policy = authz.Open{}
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Health == nil {
		opts.Health = func() Health { return Health{} }
	}
	p := &Page{opts: opts, drain: make(chan struct{}), boards: map[string]*board{}}
	_, _ = rand.Read(p.secret[:]) // never fails
	for _, r := range routes() {
		p.mux.Handle(r.pattern, p.guard(r))
	}
	return p
}

// Warm makes a set ready, so that the first who looks at it after a start waits no
// longer than the next. It does nothing once sets of mostWarm entries are ready: the
// others become so when somebody asks. What goes wrong the first page will tell.
func (p *Page) Warm(ctx context.Context, name string) {
	ctx, cancel := context.WithTimeout(ctx, warmFor)
	defer cancel()
	b, err := p.board(ctx, name)
	if err != nil || !p.affords(b.set.Head().Count) {
		return
	}
	if c, err := b.current(); err == nil {
		if err := b.trail.catchUp(ctx, p.opts.Store, c.Head()); err != nil { // the first page goes on from there
			p.opts.Logger.InfoContext(ctx, "page: history not read to its end", "set", name, "err", err)
		}
	}
}

// Bounds of what is made ready at a start.
const (
	mostWarm = 100_000          // entries, which take some 2 KiB each
	warmFor  = 30 * time.Second // of reading a journal
)

func (p *Page) affords(entries int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.warmed+entries > mostWarm {
		return false
	}
	p.warmed += entries
	return true
}

// Drain asks pages that wait for changes to come back to another router.
func (p *Page) Drain() { p.drained.Do(func() { close(p.drain) }) }

// ServeHTTP serves the pages.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.mux.ServeHTTP(w, r) }

// route is one page or form. What it demands of a visitor is in authz's table of
// permissions.
type route struct {
	pattern string
	serve   func(*visit) error
}

// importPattern is the one form that is as large as a file.
const importPattern = "POST /s/{set}/import"

func (rt route) maxForm() int64 {
	if rt.pattern == importPattern {
		return maxImportForm
	}
	return maxForm
}

func routes() []route {
	return []route{
		{"GET /{$}", (*visit).home},
		{"GET /static/{name}", (*visit).static},
		{"GET /login", (*visit).loginPage},
		{"POST /login", (*visit).login},
		{"POST /logout", (*visit).logout},
		{"GET /s/{set}/flags", (*visit).flags},
		{"GET /s/{set}/flag", (*visit).flag},
		{"POST /s/{set}/flag", (*visit).editFlag},
		{"GET /s/{set}/switch", (*visit).confirmSwitch},
		{"POST /s/{set}/switch", (*visit).switchFlag},
		{"GET /s/{set}/new", (*visit).newFlag},
		{"POST /s/{set}/new", (*visit).createFlag},
		{"POST /s/{set}/check", (*visit).check},
		{"GET /s/{set}/segments", (*visit).segments},
		{"POST /s/{set}/segments", (*visit).editSegment},
		{"GET /s/{set}/entity", (*visit).entity},
		{"POST /s/{set}/entity", (*visit).editEntity},
		{"GET /s/{set}/playground", (*visit).playground},
		{"GET /sets", (*visit).listSets},
		{"POST /sets", (*visit).createSet},
		{"GET /sets/compare", (*visit).compare},
		{"POST /s/{set}/promote", (*visit).promote},
		{"GET /keys", (*visit).keys},
		{"POST /keys", (*visit).editKeys},
		{"GET /health", (*visit).health},
		{"GET /s/{set}/history", (*visit).history},
		{"GET /s/{set}/rollback", (*visit).confirmRollback},
		{"POST /s/{set}/rollback", (*visit).rollback},
		{"GET /s/{set}/commit", (*visit).commit},
		{"POST /s/{set}/revert", (*visit).revert},
		{"GET /s/{set}/import", (*visit).importing},
		{importPattern, (*visit).importFile},
		{"GET /s/{set}/live", (*visit).live},
		{"/", (*visit).nowhere},
	}
}

// Package adminweb is the router's page for people: for now one screen that
// lists the flags of a set and changes nothing.
package adminweb

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

//go:embed page.html style.css
var files embed.FS

var page = template.Must(template.ParseFS(files, "page.html"))

// Store is what the page reads.
type Store interface {
	flags.Source
	store.History
}

const (
	limit       = 5 * time.Second
	defaultSet  = "default"
	mostFlags   = 1000 // on one page
	mostCommits = 256  // looked at for who changed what
)

// Handler serves the page at / and its style sheet.
func Handler(st Store, log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "style.css")
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		serve(ctx, w, r, st, log)
	})
	return harden(mux)
}

// harden lets the page load its own style sheet and nothing else.
func harden(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}

func serve(ctx context.Context, w http.ResponseWriter, r *http.Request, st Store, log *slog.Logger) {
	name := r.URL.Query().Get("set")
	if name == "" {
		name = defaultSet
	}
	v, status := load(ctx, st, name)
	if status == http.StatusServiceUnavailable {
		log.WarnContext(ctx, "page: cannot read the store", "set", name, "err", v.Problem)
	}
	var out bytes.Buffer
	if err := page.Execute(&out, v); err != nil {
		log.ErrorContext(ctx, "page: template", "err", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // the reader may be gone
}

// load returns what to show of a set, and the status to show it with.
func load(ctx context.Context, st Store, name string) (view, int) {
	v := view{Set: name}
	sets, err := st.Sets(ctx)
	for _, h := range sets {
		v.Sets = append(v.Sets, h.Set)
	}
	var update flags.Update
	if err == nil {
		update, err = st.Fetch(ctx, name, flags.Head{})
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
		v.Problem = "There is no flag set of this name."
		return v, http.StatusNotFound
	case err != nil:
		v.Problem = "The store does not answer: " + err.Error()
		return v, http.StatusServiceUnavailable
	}
	contents, err := assemble(name, update)
	if err != nil {
		v.Problem = "The store's answer does not add up: " + err.Error()
		return v, http.StatusServiceUnavailable
	}
	v.fill(contents, recent(ctx, st, contents.Head()))
	return v, http.StatusOK
}

func assemble(name string, u flags.Update) (*flags.Contents, error) {
	contents := flags.NewContents(name)
	if u.Checkpoint != nil {
		contents = flags.ContentsOf(u.Checkpoint)
	}
	for i := range u.Commits {
		if err := contents.Apply(&u.Commits[i]); err != nil {
			return nil, err
		}
	}
	return contents, nil
}

// recent returns the newest commits by revision. The page does without them if
// it must.
func recent(ctx context.Context, st Store, head flags.Head) map[uint64]flags.Commit {
	from := flags.Version{Epoch: head.Epoch, Revision: 1}
	if head.Revision > mostCommits {
		from.Revision = head.Revision - mostCommits + 1
	}
	commits, err := st.Commits(ctx, head.Set, from, head.Version, mostCommits)
	if err != nil {
		return nil
	}
	out := make(map[uint64]flags.Commit, len(commits))
	for _, c := range commits {
		out[c.Revision] = c
	}
	return out
}

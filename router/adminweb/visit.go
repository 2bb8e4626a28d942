package adminweb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/router/rescue"
	"github.com/holdfast-flags/holdfast/store"
)

// visit is one request for a page.
type visit struct {
	*Page
	w       http.ResponseWriter
	r       *http.Request
	ctx     context.Context
	who     authz.Principal
	browser string // names the browser, for the tokens of forms
	session string // "" for whoever is not logged in
	set     string
	past    *flags.Head // what the page shows, where that is not what is there now
	query   url.Values
}

// maxForm is the largest form that is read. A rule of the largest entry fits,
// escaped as forms are.
const maxForm = 4 << 20

// failure is an error that says what page is shown for it.
type failure struct {
	status      int
	title, text string
}

func (f *failure) Error() string { return f.title + ": " + f.text }

func fail(status int, title, format string, args ...any) error {
	return &failure{status, title, fmt.Sprintf(format, args...)}
}

// guard wraps a route: headers, who it is, whether they may, what went wrong.
func (p *Page) guard(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		harden(w.Header())
		v := &visit{Page: p, w: w, r: r, ctx: r.Context(), set: r.PathValue("set"), query: r.URL.Query()}
		defer rescue.Panic(v.opts.Logger, r)
		err := v.enter(rt)
		bound, stop := authz.Bind(v.ctx, v.who) // what is live ends with the key
		defer stop()
		v.ctx = bound
		if err == nil {
			err = rt.serve(v)
		}
		if err != nil {
			v.fail(err)
		}
	})
}

// harden lets pages load what this router serves and nothing else.
func harden(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// enter finds out who it is, checks a form for where it came from, and asks the policy.
func (v *visit) enter(rt route) error {
	rule, ok := authz.RuleOf(rt.pattern)
	if !ok {
		return fmt.Errorf("%w: nobody may ask for %s", authz.ErrDenied, rt.pattern)
	}
	if err := v.authenticate(rule.Public); err != nil {
		return err
	}
	if v.r.Method == http.MethodPost {
		if err := v.readForm(rt.maxForm()); err != nil {
			return err
		}
	}
	if rule.Public {
		return nil
	}
	return v.opts.Policy.Decide(v.who, rule.Action, v.set)
}

// may reports whether the visitor would be allowed an action on what the page shows.
func (v *visit) may(a authz.Action) bool {
	return v.past == nil && v.opts.Policy.Decide(v.who, a, v.set) == nil
}

// fail shows what went wrong. Pages return an error only before they answer.
func (v *visit) fail(err error) {
	var own *failure
	var limited *authz.LimitError
	switch {
	case errors.As(err, &own):
	case errors.Is(err, errLoggedOut), errors.Is(err, authz.ErrUnauthenticated):
		v.askForLogin()
		return
	case errors.As(err, &limited):
		v.w.Header().Set("Retry-After", limited.Seconds())
		own = &failure{http.StatusTooManyRequests, "Too many attempts", "Try again in " + limited.Seconds() + " seconds."}
	case errors.Is(err, authz.ErrDenied):
		own = &failure{http.StatusForbidden, "Not allowed", err.Error()}
	case errors.Is(err, store.ErrNotFound) || flags.ClassOf(err) == flags.ClassNotFound:
		own = &failure{http.StatusNotFound, "No such flag set", fmt.Sprintf("There is no flag set %q. Sets shows those there are.", v.set)}
	default:
		own = &failure{http.StatusServiceUnavailable, "The store does not answer", err.Error()}
		v.opts.Logger.WarnContext(v.ctx, "page: cannot answer", "path", v.r.URL.Path, "err", err)
	}
	s := v.screen(own.title, "")
	s.Set = cmp.Or(s.Set, defaultSet)
	v.render(own.status, "failure", struct {
		screen
		Text string
	}{s, own.text})
}

func (v *visit) nowhere() error {
	return fail(http.StatusNotFound, "No such page", "There is nothing at %s.", v.r.URL.Path)
}

// redirect sends the browser to another page of ours, with GET.
func (v *visit) redirect(path string, query url.Values) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// path returns the path of a page of the visited set.
func (v *visit) path(page string) string { return "/s/" + url.PathEscape(v.set) + "/" + page }

const defaultSet = "default"

// home sends people to the flags of the default set, or of the first one they may see.
func (v *visit) home() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	if v.set = v.query.Get("set"); v.set == "" {
		v.set = defaultSet
		if names := v.setNames(ctx); len(names) > 0 && !slices.Contains(names, defaultSet) {
			v.set = names[0]
		}
	}
	return v.redirect(v.path("flags"), nil)
}

// setNames returns the live sets that the visitor may read. Pages do without them
// if they must.
func (v *visit) setNames(ctx context.Context) []string {
	heads, err := v.opts.Store.Sets(ctx)
	if err != nil {
		return nil
	}
	var names []string
	for _, h := range heads {
		if h.Status == flags.StatusLive && v.opts.Policy.Decide(v.who, authz.Read, h.Set) == nil {
			names = append(names, h.Set)
		}
	}
	return names
}

package adminweb

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
)

func (v *visit) loginPage() error {
	v.loginScreen(http.StatusOK, "", v.query.Get("next"))
	return nil
}

func (v *visit) loginScreen(status int, problem, next string) {
	v.render(status, "login", struct {
		screen
		Problem, Next string
	}{v.screen("Log in", ""), problem, local(next)})
}

// maxKey is longer than any API key.
const maxKey = 512

// login takes an API key and begins a session.
func (v *visit) login() error {
	key, next := strings.TrimSpace(v.r.PostForm.Get("key")), v.r.PostForm.Get("next")
	if key == "" || len(key) > maxKey || strings.ContainsAny(key, " \r\n\t") {
		v.loginScreen(http.StatusUnprocessableEntity, "This is no API key. It looks like hf_..., in one piece.", next)
		return nil
	}
	if _, err := v.opts.Policy.Authenticate(v.credentials(key)); err != nil {
		v.opts.Logger.InfoContext(v.ctx, "page: login refused", "address", v.r.RemoteAddr)
		if !errors.Is(err, authz.ErrUnauthenticated) {
			return err // too many attempts, for one
		}
		v.loginScreen(http.StatusUnauthorized, "This key is not known, or has expired or been revoked.", next)
		return nil
	}
	v.sessions.end(v.session)
	v.setCookie(sessionCookie, v.sessions.begin(key, time.Now()), sessionFor)
	return v.redirect(local(next), nil)
}

func (v *visit) logout() error {
	v.sessions.end(v.session)
	v.setCookie(sessionCookie, "", -time.Second)
	return v.redirect("/login", nil)
}

// local returns the path that a login leads to: one of ours, whatever the link said.
func local(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || !strings.HasPrefix(u.Path, "/") || strings.ContainsAny(next, "\\\r\n") || strings.HasPrefix(next, "//") {
		return "/"
	}
	return u.RequestURI()
}

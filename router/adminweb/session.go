package adminweb

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
)

// Cookies. Neither can be read by scripts, nor is sent with requests from other sites.
const (
	browserCookie = "holdfast_browser"
	sessionCookie = "holdfast_session"
	nameCookie    = "holdfast_name" // what an unauthenticated visitor signs changes with
)

const (
	sessionFor   = 12 * time.Hour // from login
	mostSessions = 10_000
)

var errLoggedOut = errors.New("not logged in")

// sessions are who is logged in. They are in memory: a restart logs everybody out.
type sessions struct {
	mu   sync.Mutex
	open map[string]session
}

// session is a login. It holds the key, because the policy is asked at each
// request: a key that is revoked ends its sessions at once.
type session struct {
	key  string
	ends time.Time
}

func (s *sessions) begin(key string, now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		s.open = map[string]session{}
	}
	for id, other := range s.open {
		if len(s.open) >= mostSessions || now.After(other.ends) {
			delete(s.open, id)
		}
	}
	id := rand.Text()
	s.open[id] = session{key, now.Add(sessionFor)}
	return id
}

func (s *sessions) find(id string, now time.Time) (session, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.open[id]
	if ok && now.After(found.ends) {
		delete(s.open, id)
		ok = false
	}
	return found, ok
}

func (s *sessions) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, id)
}

// authenticate finds out who the visitor is. Pages that everybody may see are
// shown to whoever is not logged in as well.
func (v *visit) authenticate(everybody bool) error {
	if c, err := v.r.Cookie(browserCookie); err == nil && len(c.Value) <= 64 {
		v.browser = c.Value
	}
	if !v.opts.Login {
		return nil
	}
	err := errLoggedOut
	if c, missing := v.r.Cookie(sessionCookie); missing == nil {
		if s, ok := v.sessions.find(c.Value, time.Now()); ok {
			v.session = c.Value
			v.who, err = v.opts.Policy.Authenticate(v.credentials(s.key))
		}
	}
	if err != nil {
		v.session = ""
	}
	if everybody {
		return nil
	}
	return err
}

func (v *visit) credentials(key string) authz.Credentials {
	return authz.Credentials{Authorization: "Bearer " + key, Address: v.r.RemoteAddr}
}

func (v *visit) setCookie(name, value string, age time.Duration) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age.Seconds()),
		HttpOnly: true, Secure: v.opts.SecureCookies, SameSite: http.SameSiteStrictMode,
	})
}

// token returns what a form must bring back: proof that a page of ours was given
// to this browser. It differs each time, so that compression tells nothing about it.
func (v *visit) token() string {
	if v.browser == "" {
		v.browser = rand.Text()
		v.setCookie(browserCookie, v.browser, 365*24*time.Hour)
	}
	nonce := rand.Text()
	return nonce + "." + v.sign(nonce)
}

func (v *visit) sign(nonce string) string {
	mac := hmac.New(sha256.New, v.secret[:])
	_, _ = mac.Write([]byte(nonce + "." + v.browser)) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// errForeignForm is answered with a header, by which the script of the page asks
// for another token and sends the form again.
var errForeignForm = &failure{
	http.StatusForbidden, "This form has expired",
	"The page is from before the router was restarted, or cookies are off. Nothing was changed: go back, load the page again and repeat it.",
}

var crossOrigin = http.NewCrossOriginProtection()

// readForm reads a form and checks that a page of ours sent it.
func (v *visit) readForm(most int64) error {
	if crossOrigin.Check(v.r) != nil {
		return fail(http.StatusForbidden, "Not from this page", "A page of another site sent this form. Nothing was changed.")
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	if err := v.r.ParseForm(); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return fail(http.StatusRequestEntityTooLarge, "Too large", "A form may have up to %d MiB. Nothing was changed.", most>>20)
		}
		return fail(http.StatusBadRequest, "Not a form", "What was sent cannot be read as a form: %v. Nothing was changed.", err)
	}
	nonce, mac, _ := strings.Cut(v.r.PostForm.Get("token"), ".")
	if v.browser == "" || !hmac.Equal([]byte(mac), []byte(v.sign(nonce))) {
		v.w.Header().Set("Holdfast-Form", "expired")
		return errForeignForm
	}
	return nil
}

func (v *visit) askForLogin() {
	next := ""
	if v.r.Method == http.MethodGet {
		next = v.r.URL.RequestURI()
	}
	if v.r.Method == http.MethodGet && v.r.Header.Get("Accept") != "text/event-stream" {
		_ = v.redirect("/login", url.Values{"next": {next}})
		return
	}
	v.loginScreen(http.StatusUnauthorized, "You are not logged in any more. Nothing was changed.", next)
}

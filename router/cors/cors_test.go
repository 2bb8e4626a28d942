package cors_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/holdfast-flags/holdfast/router/cors"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) })

func ask(t *testing.T, h http.Handler, method, origin string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOrigins(t *testing.T) {
	h := cors.Handler([]string{"https://app.example", "http://*.dev.example", "http://localhost:3000"}, hello)
	for origin, allowed := range map[string]bool{
		"https://app.example": true, "http://a.dev.example": true, "http://localhost:3000": true,
		"http://app.example": false, "https://app.example.evil": false, "https://evil.example": false, "http://localhost": false, "null": false, "": false,
	} {
		w := ask(t, h, http.MethodPost, origin)
		if got := w.Header().Get("Access-Control-Allow-Origin"); (got == origin && origin != "") != allowed || got != "" && !allowed {
			t.Errorf("%q: allow %q, want allowed %v", origin, got, allowed)
		}
		if w.Code != http.StatusOK || w.Header().Get("Vary") == "" {
			t.Errorf("%q: %d %v", origin, w.Code, w.Header()) // it is the browser that keeps the answer from the page
		}
		w = ask(t, h, http.MethodOptions, origin, "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "authorization,content-type,x-tenant")
		preflight := w.Header().Get("Access-Control-Allow-Headers") == "authorization,content-type,x-tenant" && w.Header().Get("Access-Control-Allow-Methods") == "POST"
		if preflight != allowed || w.Body.Len() != 0 {
			t.Errorf("%q: preflight %v, want allowed %v", origin, w.Header(), allowed)
		}
	}
}

func TestWithoutOriginsNothingChanges(t *testing.T) {
	w := ask(t, cors.Handler(nil, hello), http.MethodPost, "https://app.example")
	if w.Header().Get("Access-Control-Allow-Origin") != "" || w.Body.String() != "hello" {
		t.Errorf("%v %s", w.Header(), w.Body)
	}
}

func TestScriptsReadTheRevision(t *testing.T) {
	w := ask(t, cors.Handler([]string{"*"}, hello), http.MethodPost, "https://app.example")
	if got, want := w.Header().Get("Access-Control-Expose-Headers"), "Etag, Retry-After, Holdfast-Revision, Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin"; got != want {
		t.Errorf("exposed %q, want %q", got, want)
	}
	if w.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Error("cookies are allowed")
	}
}

func TestCheck(t *testing.T) {
	for _, good := range []string{"*", "https://app.example", "http://localhost:3000", "https://*.app.example", "http://[::1]:3000", "http://localhost:*", "capacitor://localhost"} {
		if err := cors.Check(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "app.example", "localhost:3000", "https://", "https://app.example/", "https://app.example/page", "https://u@app.example", "https://*.*.example", "https://a b", "://x", "http://a:b:*"} {
		if err := cors.Check(bad); !errors.Is(err, cors.ErrOrigin) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

package cors_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-flags/holdfast/router/cors"
)

func ExampleHandler() {
	api := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "{}") })
	h := cors.Handler([]string{"https://app.example"}, api)

	r := httptest.NewRequest(http.MethodPost, "/ofrep/v1/evaluate/flags", nil)
	r.Header.Set("Origin", "https://app.example")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	fmt.Println(w.Header().Get("Access-Control-Allow-Origin"))
	// Output: https://app.example
}

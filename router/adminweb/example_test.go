package adminweb_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleHandler() {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()

	w := httptest.NewRecorder()
	adminweb.Handler(st, slog.Default()).ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/", nil))
	fmt.Println(w.Code) // there is no flag set yet
	// Output: 404
}

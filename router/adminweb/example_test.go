package adminweb_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-flags/holdfast/router/adminweb"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

func ExampleNew() {
	st := memstore.New(nil)
	defer func() { _ = st.Close() }()
	h := hub.New(st, nil)
	defer h.Close()

	page := adminweb.New(adminweb.Options{Store: st, Hub: h})
	w := httptest.NewRecorder()
	page.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "/s/default/flags", nil))
	fmt.Println(w.Code) // there is no flag set yet
	// Output: 404
}

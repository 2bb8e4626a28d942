package rescue_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"

	"github.com/holdfast-flags/holdfast/router/rescue"
)

func ExamplePanic() {
	log := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "stack" {
			return slog.Attr{}
		}
		return a
	}}))
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer rescue.Panic(log, r)
		if strings.HasSuffix(r.URL.Path, "/odd") {
			panic("out of luck")
		}
		_, _ = fmt.Fprint(w, "fine")
	})
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	server.Start()
	defer server.Close()

	for _, path := range []string{"/odd", "/even"} {
		resp, err := http.Get(server.URL + path)
		if err != nil {
			fmt.Println("no answer")
			continue
		}
		fmt.Println(resp.Status)
		_ = resp.Body.Close()
	}
	// Output:
	// level=ERROR msg="handler panicked" path=/odd panic="out of luck"
	// no answer
	// 200 OK
}

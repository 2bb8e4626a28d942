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

	_, err := http.Get(server.URL + "/odd")
	fmt.Println(err != nil)
	resp, err := http.Get(server.URL + "/even")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// level=ERROR msg="handler panicked" path=/odd panic="out of luck"
	// true
	// 200 OK
}

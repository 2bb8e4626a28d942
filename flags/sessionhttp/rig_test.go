package sessionhttp_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var silent = &sessionhttp.Options{Logger: slog.New(slog.DiscardHandler)}

// read answers with the number, its revision and its freshness.
func read(c *flags.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, sessiontest.Read(r.Context(), c))
	}
}

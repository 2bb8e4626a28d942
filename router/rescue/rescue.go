// Package rescue keeps a panic of one HTTP request from being more than that.
package rescue

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// Panic is to be deferred by a handler. It logs a panic with its stack and cuts the
// connection, for the answer may have begun: a client must not take a part for the whole.
// http.ErrAbortHandler, with which a handler says just that, is not logged.
func Panic(log *slog.Logger, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
		log.ErrorContext(r.Context(), "handler panicked", "path", r.URL.Path, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

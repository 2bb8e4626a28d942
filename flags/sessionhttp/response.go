package sessionhttp

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// response adds the tokens to the header at the last moment at which it can be
// changed. It can do what writers of net/http can, as handlers look for that.
type response struct {
	http.ResponseWriter
	tokens func() string
	begun  bool
}

func (w *response) begin() {
	if w.begun {
		return
	}
	w.begun = true
	if tokens := w.tokens(); tokens != "" {
		w.Header().Set(Header, tokens)
	}
}

// WriteHeader implements http.ResponseWriter. Statuses below 200 are only announcements.
func (w *response) WriteHeader(status int) {
	if status >= http.StatusOK || status == http.StatusSwitchingProtocols {
		w.begin()
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (w *response) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

// ReadFrom implements io.ReaderFrom, with which net/http sends files without copying.
func (w *response) ReadFrom(r io.Reader) (int64, error) {
	w.begin()
	return io.Copy(w.ResponseWriter, r)
}

// Flush implements http.Flusher.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError is what [http.ResponseController] looks for.
func (w *response) FlushError() error {
	w.begin()
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack implements http.Hijacker.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is for [http.ResponseController].
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

package restapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// Bounds of bodies, in bytes.
const (
	maxBody   = 1 << 20
	maxImport = 8 << 20
)

// body reads the body of a request if it is of one of the media types. What a browser
// sends without asking first, such as a form, is none of them.
func (e *edit) body(limit int64, types ...string) (data []byte, media string, err error) {
	media, params, err := mime.ParseMediaType(e.r.Header.Get("Content-Type"))
	charset := strings.ToLower(params["charset"])
	switch {
	case err != nil || !slices.Contains(types, media):
		if e.r.Method == http.MethodPatch {
			e.w.Header().Set("Accept-Patch", strings.Join(types, ", "))
		}
		return nil, "", unsupported("Content-Type %.60q; want %s", e.r.Header.Get("Content-Type"), strings.Join(types, " or "))
	case charset != "" && charset != "utf-8":
		return nil, "", unsupported("charset %.60q; want utf-8", charset)
	case e.r.Header.Get("Content-Encoding") != "":
		return nil, "", unsupported("Content-Encoding %.60q; want none", e.r.Header.Get("Content-Encoding"))
	}
	data, err = io.ReadAll(http.MaxBytesReader(e.w, e.r.Body, limit))
	return data, media, err
}

func unsupported(format string, args ...any) error {
	return problem(restwire.Plain(http.StatusUnsupportedMediaType, fmt.Sprintf(format, args...)))
}

// noBody refuses a body where there is nothing to be said in one.
func (e *edit) noBody() error {
	n, err := io.ReadFull(http.MaxBytesReader(e.w, e.r.Body, 1), make([]byte, 1))
	if n > 0 {
		return invalid("this takes no body")
	}
	if !errors.Is(err, io.EOF) {
		return invalid("body: %w", err)
	}
	return nil
}

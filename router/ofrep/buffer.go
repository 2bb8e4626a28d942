package ofrep

import (
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const (
	maxBody    = 1_000_000 // bytes of a request, as flagd has it
	usualSize  = 4 << 10   // that a buffer begins with
	keptBuffer = 256 << 10 // a larger one is not kept for the next request
)

// buffer is the memory of one request: what came and what goes.
type buffer struct {
	in, out []byte
	sums    []byte // of what is in out, see etagOf
}

var buffers = sync.Pool{New: func() any {
	return &buffer{in: make([]byte, 0, usualSize), out: make([]byte, 0, usualSize), sums: make([]byte, 0, usualSize)}
}}

func newBuffer() *buffer { return buffers.Get().(*buffer) }

// free keeps the buffer for another request. Nothing may refer to it any more.
func (b *buffer) free() {
	if cap(b.in) > keptBuffer || cap(b.out) > keptBuffer {
		return
	}
	b.in, b.out, b.sums = b.in[:0], b.out[:0], b.sums[:0]
	buffers.Put(b)
}

// read takes the body in. It grows with what comes, not with what was announced.
func (b *buffer) read(r *http.Request) error {
	if e := r.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return &refusal{status: http.StatusUnsupportedMediaType, details: "content encoding " + strconv.Quote(e) + "; want none"}
	}
	if r.ContentLength > maxBody {
		return errTooLarge
	}
	for {
		if len(b.in) == cap(b.in) {
			b.in = append(b.in, 0)[:len(b.in)]
		}
		n, err := r.Body.Read(b.in[len(b.in):cap(b.in)])
		b.in = b.in[:len(b.in)+n]
		switch {
		case len(b.in) > maxBody:
			return errTooLarge
		case err == io.EOF:
			return nil
		case err != nil:
			return &refusal{status: http.StatusBadRequest, code: codeGeneral, details: "the body could not be read: " + err.Error()}
		}
	}
}

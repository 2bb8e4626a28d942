package restwire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// MaxEventBytes is the most that one event may come to, on either side.
const MaxEventBytes = 2 << 20

// Event is a server-sent event.
type Event struct {
	ID    string // of the newest event that had one
	Name  string
	Data  []byte
	Retry time.Duration // 0: not said
}

// Append returns b with the event's text added. ID, Name and Data must be of one line.
func (e *Event) Append(b []byte) []byte {
	if e.Retry > 0 {
		b = append(strconv.AppendInt(append(b, "retry: "...), e.Retry.Milliseconds(), 10), '\n')
	}
	if e.ID != "" {
		b = append(append(append(b, "id: "...), e.ID...), '\n')
	}
	b = append(append(append(b, "event: "...), e.Name...), '\n')
	b = append(append(append(b, "data: "...), e.Data...), '\n')
	return append(b, '\n')
}

// EventReader reads server-sent events as the HTML standard has it: any end of
// line, comments and unknown fields passed over, an event cut short forgotten.
type EventReader struct {
	lines   *bufio.Reader
	line    []byte
	id      string
	begun   bool
	afterCR bool
}

// NewEventReader returns a reader of r.
func NewEventReader(r io.Reader) *EventReader { return &EventReader{lines: bufio.NewReader(r)} }

// Next returns the next event. The error is that of the reader below, or wraps
// flags.ErrTooLarge.
func (r *EventReader) Next() (Event, error) {
	var ev Event
	size, data := 0, false
	for {
		line, err := r.next(MaxEventBytes - size)
		if err != nil {
			return Event{}, err
		}
		size += len(line)
		if len(line) == 0 {
			if !data && ev.Retry == 0 {
				ev, size = Event{}, 0
				continue // nothing but comments
			}
			ev.ID = r.id
			return ev, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(name) {
		case "event":
			ev.Name = string(value)
		case "data":
			if data {
				ev.Data = append(ev.Data, '\n')
			}
			ev.Data, data = append(ev.Data, value...), true
		case "id":
			if !bytes.ContainsRune(value, 0) {
				r.id = string(value)
			}
		case "retry":
			ev.Retry = milliseconds(string(value))
		}
	}
}

// milliseconds reads digits only, and nothing that anybody would not mean.
func milliseconds(text string) time.Duration {
	const most = 24 * time.Hour
	ms, err := strconv.ParseUint(text, 10, 63)
	if err != nil || strings.HasPrefix(text, "+") {
		return 0
	}
	return time.Duration(min(ms, uint64(most/time.Millisecond))) * time.Millisecond
}

// next returns the next line of at most so many bytes, without its end.
func (r *EventReader) next(limit int) ([]byte, error) {
	r.line = r.line[:0]
	for {
		b, err := r.lines.ReadByte()
		if err != nil {
			return nil, err
		}
		if b == '\n' && r.afterCR {
			r.afterCR = false
			continue // the second half of one end
		}
		r.afterCR = b == '\r'
		if b == '\n' || b == '\r' {
			return r.withoutMark(), nil
		}
		if len(r.line) >= limit {
			return nil, fmt.Errorf("%w: an event of more than %d bytes", flags.ErrTooLarge, MaxEventBytes)
		}
		r.line = append(r.line, b)
	}
}

// withoutMark drops the byte order mark that may begin a stream.
func (r *EventReader) withoutMark() []byte {
	line := r.line
	if !r.begun {
		line = bytes.TrimPrefix(line, []byte("\ufeff"))
	}
	r.begun = true
	return line
}

package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// longestWait bounds how long a receiver can have itself left alone.
const longestWait = time.Hour

var errAsked = errors.New("webhook: the receiver has asked to be called later")

// LaterError is a failure after which the receiver is not to be called before an instant.
type LaterError struct {
	Until time.Time
	Err   error
}

// Error says what went wrong and until when the receiver is left alone.
func (e *LaterError) Error() string {
	return fmt.Sprintf("%v; called again at %s, as it asked", e.Err, e.Until.UTC().Format(time.RFC3339))
}

// Unwrap returns what went wrong.
func (e *LaterError) Unwrap() error { return e.Err }

// retryAfter reads a Retry-After header, seconds or an HTTP date: 0 for one that says
// nothing or asks for the past.
func retryAfter(text string, now time.Time) time.Duration {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "0123456789") == "" && text != "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > int64(longestWait/time.Second) { // too large to be read
			return longestWait
		}
		return time.Duration(seconds) * time.Second
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), longestWait)
}

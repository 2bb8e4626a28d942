package sessionhttp_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

// TestLoginFlow: the two steps of a login are served by two instances, of which the
// second has not heard of a change yet. With the header they are one session. The next login is
// another one, which has what was kept of the first.
func TestLoginFlow(t *testing.T) {
	st := sessiontest.NewStore(t)
	ahead, behind := sessiontest.NewClient(t, st, nil), sessiontest.NewClient(t, st, sessiontest.Never)
	lagging := sessiontest.NewClient(t, st, sessiontest.Never) // serves the next login
	step := func(c *flags.Client, token string) (answer, next string) {
		t.Helper()
		s := serve(t, sessionhttp.Handler(read(c), silent))
		body, header := get(t.Context(), t, s.Client(), s.URL, token)
		number, _, _ := strings.Cut(body, " ")
		return number, header.Get(sessionhttp.Header)
	}
	written := sessiontest.Write(t, st, 7)
	if _, err := ahead.Require(flags.AtLeast(t.Context(), written)); err != nil {
		t.Fatal(err)
	}

	first, kept := step(ahead, "")
	if second, _ := step(behind, kept); first != "7" || second != "7" {
		t.Errorf("step one saw %s, step two saw %s", first, second)
	}
	if next, _ := step(lagging, ""); next != "0" {
		t.Errorf("a login that knows nothing saw %s: the instance was to be behind", next)
	}
	if next, _ := step(lagging, kept); next != "7" {
		t.Errorf("a login that knows the last one saw %s", next)
	}
}

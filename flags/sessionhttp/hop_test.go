package sessionhttp_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/sessionhttp"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/session/sessiontest"
)

const readsPerRequest = 20

// TestSessionHopping: one session hops between four instances, of which each hears of
// changes when it does. With the header it never goes back; without, the same run does.
func TestSessionHopping(t *testing.T) {
	const reads = 400_000
	t.Run("with the header", func(t *testing.T) {
		back, notFresh := hop(t, reads, true)
		matrix.Tally(t, "F23", reads, back)
		matrix.Tally(t, "G2", reads, back)
		t.Logf("%d reads: %d went back, %d NOT_FRESH", reads, back, notFresh)
		if back+notFresh > 0 {
			t.Errorf("%d reads went back, %d were NOT_FRESH though the primary answers", back, notFresh)
		}
	})
	t.Run("without", func(t *testing.T) {
		back, _ := hop(t, reads/10, false)
		t.Logf("%d reads: %d went back", reads/10, back)
		if back == 0 {
			t.Error("nothing went back: this test could not notice a header that is ignored")
		}
	})
}

// hop counts the reads that were older than one before.
func hop(t *testing.T, reads int, carry bool) (back, notFresh int) {
	synctest.Test(t, func(t *testing.T) {
		dice := rand.New(rand.NewPCG(1, 2))
		st := sessiontest.NewStore(t)
		var instances [4]http.Handler
		for i := range instances {
			own := rand.New(rand.NewPCG(3, uint64(i)))
			c := sessiontest.NewClient(t, st, func(ctx context.Context) { stall(ctx, own) })
			instances[i] = sessionhttp.Handler(readOften(c), silent)
		}
		token, newest, counted := "", uint64(0), 0
		for i := range reads / readsPerRequest {
			if dice.IntN(10) == 0 {
				sessiontest.Write(t, st, i)
			}
			time.Sleep(time.Duration(dice.IntN(5)) * time.Millisecond)
			req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)
			if carry && token != "" {
				req.Header.Set(sessionhttp.Header, token)
			}
			resp := httptest.NewRecorder()
			instances[dice.IntN(len(instances))].ServeHTTP(resp, req)
			token = resp.Header().Get(sessionhttp.Header)
			notFresh += strings.Count(resp.Body.String(), "NOT_FRESH")
			for word := range strings.FieldsSeq(resp.Body.String()) {
				if revision, err := strconv.ParseUint(word, 10, 64); err == nil {
					counted++
					if revision < newest {
						back++
					}
					newest = max(newest, revision)
				}
			}
		}
		if counted != reads {
			t.Errorf("%d reads, want %d", counted, reads)
		}
	})
	return back, notFresh
}

// stall makes an instance late, now and then by longer than a token is waited for.
func stall(ctx context.Context, dice *rand.Rand) {
	d := time.Duration(dice.IntN(20)) * time.Millisecond
	if dice.IntN(20) == 0 {
		d = time.Second
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func readOften(c *flags.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var text []byte
		for range readsPerRequest {
			d := c.IntDetails(r.Context(), sessiontest.Flag, sessiontest.Anyone, -1)
			text = strconv.AppendUint(text, d.Token().Revision, 10)
			text = append(text, " "+d.Freshness.String()+" "...)
		}
		_, _ = w.Write(text) // a recorder takes everything
	}
}

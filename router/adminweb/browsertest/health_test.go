package browsertest

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// replica is a mirror that can be out of order.
type replica struct {
	*memstore.Store
	down atomic.Bool
}

func (r *replica) Append(ctx context.Context, set string, commits []flags.Commit) error {
	if r.down.Load() {
		return errors.New("no disk space left")
	}
	return r.Store.Append(ctx, set, commits)
}

func proxyTo(t *testing.T, address string) *faultnet.Proxy {
	t.Helper()
	p, err := faultnet.Listen(address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

func set(t *testing.T, p *faultnet.Proxy, mode faultnet.Mode) {
	t.Helper()
	if err := p.Set(faultnet.Faults{Mode: mode}); err != nil {
		t.Fatal(err)
	}
}

// TestHealth: the page shows a process that uses the SDK, how far behind it is, what
// it says of its layers, and how far behind a mirror is; and when all is well again.
func TestHealth(t *testing.T) {
	mirror := &replica{Store: memstore.New(nil)}
	h := serve(t, someFlags, func(o *router.Options) { o.Mirrors = []router.Mirror{{Name: "mongodb://db/holdfast", Replica: mirror}} })
	b := h.open(t, "/health")
	b.shows("#clients", "No SDK follows a set")
	primary, cache := proxyTo(t, h.grpc), proxyTo(t, testenv.StartRedis(t).Addr())
	client, err := standard.New(t.Context(), standard.Config{
		Primary: "grpc://" + primary.Addr(), Cache: "redis://" + cache.Addr() + "?memory=0",
		Breaker: standard.Breaker{Failures: 1, Cooldown: 500 * time.Millisecond, MaxCooldown: 500 * time.Millisecond}, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	b.shows("#clients tbody th", filepath.Base(os.Args[0])) // by itself
	row := func(column int, want string) {
		t.Helper()
		h.eventually("column "+want, func() bool {
			b.visit("/health")
			return b.cell("#clients", column) == want
		})
	}
	toggle := func() {
		h.edit("Ben", "new-checkout", func(d flags.Definition) flags.Definition { return d.WithEnabled(!d.Enabled()) })
	}
	b.until(`document.querySelector("#clients td").textContent.startsWith("go")`)
	row(3, "0.1")
	row(4, "0")
	toggle()
	row(3, "0.2")

	set(t, primary, faultnet.Hang)
	toggle()
	h.eventually("one behind", func() bool { // at one look: router and client give a silent connection up
		b.visit("/health")
		return b.cell("#clients", 3) == "0.2" && b.cell("#clients", 4) == "1"
	})
	set(t, primary, faultnet.Pass)
	row(4, "0")

	// A client says how its layers are when it has applied something.
	layers := func(want, bad string) {
		t.Helper()
		h.eventually("layers "+want, func() bool {
			toggle()
			b.visit("/health")
			// At one look: what the client says to the last toggle may be another word.
			var seen bool
			b.eval(`(([row]) => row && [...row.querySelectorAll("td")].some((c) => c.textContent.trim() === `+quote(want)+`) &&
				(row.querySelector(".state-bad")?.textContent ?? "") === `+quote(bad)+`)([...document.querySelectorAll("#clients tbody tr")].slice(-1)) ?? false`, &seen)
			return seen
		})
	}
	layers("cache ok primary streaming", "")
	set(t, cache, faultnet.Refuse)
	layers("cache open primary streaming", "cache open")
	set(t, cache, faultnet.Pass)
	layers("cache ok primary streaming", "")

	mirrored := func(state, lag string) {
		t.Helper()
		h.eventually("the mirror "+state+", behind by "+lag, func() bool {
			b.visit("/health")
			return strings.Contains(b.cell("#layers", 2), state) && b.cell("#layers", 4) == lag
		})
	}
	mirror.down.Store(true)
	toggle()
	mirrored("no disk space left", "1")
	toggle()
	mirrored("no disk space left", "2")
	mirror.down.Store(false)
	mirrored("current", "0")
}

// cell returns a cell of the last row of a table.
func (b *tab) cell(table string, column int) string {
	b.t.Helper()
	var text string
	b.eval(`[...document.querySelectorAll("`+table+` tbody tr:last-child > *")].map((c) => c.textContent.trim())[`+strconv.Itoa(column)+`] ?? ""`, &text)
	return text
}

package rig_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/matrix"
	"github.com/holdfast-flags/holdfast/internal/matrix/rig"
)

// troubles of a layer, of which one is drawn now and then.
var troubles = map[string][]rig.Fault{
	"primary": {
		rig.Healthy, rig.Healthy, rig.Refused, rig.Hanging, rig.Reset, rig.Deaf, rig.Mute, rig.CutAfter(500), rig.CutAfter(5000),
		rig.Says(codes.Unavailable), rig.Says(codes.PermissionDenied), rig.Says(codes.NotFound), rig.Slow(900 * time.Millisecond), rig.Slow(1100 * time.Millisecond),
	},
	"secondary": {rig.Healthy, rig.Refused, rig.Hanging, rig.Reset, rig.Says(codes.ResourceExhausted), rig.Slow(1100 * time.Millisecond)},
	"cache": {
		rig.Healthy, rig.Refused, rig.Hanging, rig.Replies("LOADING Redis is loading the dataset in memory"),
		rig.Replies("READONLY You can't write against a read only replica."), rig.Replies("OOM command not allowed"),
	},
}

// TestReadYourWrites writes, and reads what was written through one of two processes,
// with the token, under faults drawn at random. The answer has the write in it, or says that it
// has not; while nothing is wrong with the stream, it has it within 250 ms. The twin reads without
// the token.
func TestReadYourWrites(t *testing.T) {
	rounds := 2_000
	if os.Getenv("HOLDFAST_LONG") != "" {
		rounds = 100_000
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		y := &yourWrites{house: rig.New(t, rig.Options{}), dice: rand.New(rand.NewPCG(seed, 0))}
		for _, alone := range []bool{false, true} {
			y.nodes = append(y.nodes, y.house.Client(rig.ClientOptions{NoCache: alone, Pace: time.Second, Config: func(c *standard.Config) {
				c.Breaker = standard.Breaker{Cooldown: time.Second, MaxCooldown: 2 * time.Second} // so that many faults fit in
			}}))
		}
		for range rounds {
			y.round(t)
		}
		y.check(t, rounds)
	})
}

type yourWrites struct {
	house *rig.House
	nodes []*rig.Client
	dice  *rand.Rand

	faults, notFresh, stale int
	waits                   []time.Duration // on nodes with a stream
}

func (y *yourWrites) round(t *testing.T) {
	switch y.dice.IntN(20) {
	case 0:
		y.disturb()
	case 1, 2:
		y.house.SetAll(rig.Healthy)
	}
	rig.Wait(time.Duration(y.dice.IntN(50)) * time.Millisecond)
	token := y.house.Write()
	node := y.nodes[y.dice.IntN(len(y.nodes))]
	if node.Token(t.Context()).Before(token.Version) { // what a read without the token is answered from
		y.stale++
	}
	healthy, began := node.Streaming(), time.Now()
	if !node.ReadOwn(t.Context(), token) {
		y.notFresh++
	} else if healthy && node.Streaming() {
		y.waits = append(y.waits, time.Since(began))
	}
}

// disturb gives one layer the next trouble.
func (y *yourWrites) disturb() {
	y.faults++
	switch name := []string{"primary", "secondary", "cache", "flush", "lag", "catch up"}[y.dice.IntN(6)]; name {
	case "flush":
		y.house.Cache.FlushAll()
	case "lag":
		y.house.Secondary.Hold(true)
	case "catch up":
		y.house.Secondary.Hold(false)
		y.house.Feed()
	default:
		list := troubles[name]
		y.house.Layer(name).Set(list[y.dice.IntN(len(list))])
	}
}

func (y *yourWrites) check(t *testing.T, rounds int) {
	violations := 0
	for _, n := range y.nodes {
		violations += n.Report().Unread
	}
	if violations > 0 {
		t.Errorf("%d reads with a token were older, and did not say so", violations)
	}
	if y.notFresh == 0 || len(y.waits) < rounds/10 {
		t.Errorf("%d of %d reads were NOT_FRESH, %d had a stream: nothing was tried", y.notFresh, rounds, len(y.waits))
	}
	if y.stale == 0 {
		t.Error("without the token nothing old was seen: this test could not notice a token that is ignored")
	}
	slices.Sort(y.waits)
	p99 := y.waits[len(y.waits)*99/100]
	if p99 > 250*time.Millisecond {
		t.Errorf("p99 of the wait with a stream: %v", p99)
	}
	t.Logf("%d reads under %d faults: %d violations, %d NOT_FRESH, p99 wait with a stream %v; %d would have been old without the token",
		rounds, y.faults, violations, y.notFresh, p99, y.stale)
	matrix.Tally(t, "F22", rounds, violations)
	matrix.Tally(t, "G4", rounds, violations)
}

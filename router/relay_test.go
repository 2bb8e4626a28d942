package router_test

import (
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// TestRelayKeepsTheActor: what is written through a router in front of a router is by who
// made it, from where it was made; only a relay with an admin key of all sets is believed.
func TestRelayKeepsTheActor(t *testing.T) {
	g := guard(t)
	const by, from = "alice", "192.0.2.7:1234"
	through := func(key string, relay bool) (flags.Commit, error) {
		upstream, err := grpcstore.Open("grpc://"+g.grpc, &grpcstore.Options{APIKey: key, Relay: relay, HeadTimeout: time.Minute, WriteTimeout: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		front := serve(t, router.Options{Store: upstream})
		c := front.client(t) // over a pipe, which has no address: what it claims stays there
		flag := flags.Mutation{Key: flags.FlagKey("n"), Bytes: []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`)}
		return c.Apply(t.Context(), flags.Commit{
			Set: "shop", ID: flags.NewCommitID(), Actor: flags.Actor{Kind: "user", ID: by, Via: "flagctl"}, Address: from, Changes: []flags.Mutation{flag},
		})
	}
	admin := g.key(t, authz.Administrator, "")
	c, err := through(admin, true)
	if err != nil || c.Actor.Kind != "user" || c.Actor.ID != by || c.Address != from || c.Actor.Via == "flagctl" {
		t.Errorf("by a relay: %+v from %s, %v", c.Actor, c.Address, err)
	}
	c, err = through(admin, false)
	if err != nil || c.Actor.Kind != "key" || c.Actor.ID == by || c.Address == from {
		t.Errorf("by what is no relay: %+v from %s, %v", c.Actor, c.Address, err)
	}
	for name, key := range map[string]string{
		"editor": g.key(t, authz.Editor, ""), "admin of one set": g.key(t, authz.Administrator, "shop"), "nobody": "",
	} {
		if c, err = through(key, true); err == nil || flags.ClassOf(err) != flags.ClassDenied {
			t.Errorf("%s: %+v, %v", name, c.Actor, err)
		}
	}
}

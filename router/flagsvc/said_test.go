package flagsvc_test

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/router/flagsvc"
)

// TestSaid: what a commit says for people is short, whatever client wrote it; one that is
// refused changes nothing.
func TestSaid(t *testing.T) {
	r := newRig(t, flagsvc.Options{}, nil)
	r.create(1)
	fl := pb.NewFlagsClient(r.conn)
	for name, c := range map[string]flags.Commit{
		"":                  {Reason: strings.Repeat("r", 1024), Actor: flags.Actor{Kind: "user", ID: "Zoë Ōtara", Via: "flagctl"}},
		"too long":          {Reason: strings.Repeat("r", 1025)},
		"a way too long":    {Actor: flags.Actor{Via: strings.Repeat("v", 257)}},
		"an actor too long": {Actor: flags.Actor{ID: strings.Repeat("a", 257)}},
	} {
		before, err := r.mem.Head(t.Context(), "shop")
		if err != nil {
			t.Fatal(err)
		}
		c.Set, c.ID = "shop", flags.NewCommitID()
		c.Changes = []flags.Mutation{{Key: flags.FlagKey("said"), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"on":true}}`)}}
		encoded, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		_, err = fl.Apply(t.Context(), &pb.ApplyRequest{Commit: encoded})
		want := codes.InvalidArgument
		if name == "" {
			want = codes.OK
		}
		if status.Code(err) != want {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
		after, err := r.mem.Head(t.Context(), "shop")
		if err != nil || (after.Version != before.Version) != (name == "") {
			t.Errorf("%q: %s became %s, %v", name, before.Token(), after.Token(), err)
		}
	}
}

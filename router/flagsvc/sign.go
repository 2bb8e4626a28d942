package flagsvc

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
	"github.com/holdfast-flags/holdfast/router/authz"
)

// sign writes down who a commit is by and from where, whatever it claims. One that a relay
// passes on keeps what the relay has written down; who could claim anybody's name by that
// may do everything anyway, and the relay's own name stands beside.
func (s *Service) sign(ctx context.Context, c *flags.Commit) error {
	who := authz.PrincipalOf(ctx)
	if len(metadata.ValueFromIncomingContext(ctx, wire.RelayHeader)) == 0 {
		if peer := address(ctx); peer != "" {
			c.Address = peer
		}
		c.Actor = who.Actor(c.Actor)
		return nil
	}
	if err := s.allow(ctx, authz.Admin, ""); err != nil {
		return err
	}
	if who.Kind != "" {
		c.Actor.Via += " through " + who.Actor(flags.Actor{}).ID
	}
	return nil
}

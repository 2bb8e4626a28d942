package router

import (
	"context"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/webhook"
)

// longestHookRetry is the longest pause before a receiver that is down is tried again.
const longestHookRetry = time.Minute

// hook is a receiver of webhooks as a place: what has been delivered is there.
type hook struct{ *webhook.Hook }

func (h hook) locate(ctx context.Context, set string) (flags.Head, error) { return h.Locate(ctx, set) }

func (h hook) bring(ctx context.Context, set *hub.Set, at flags.Head) (flags.Head, error) {
	return h.Bring(ctx, set.Head(), at)
}

// Webhooks returns how each set fares at each receiver.
func (r *Router) Webhooks() []SinkStatus { return statuses(r.hooks) }

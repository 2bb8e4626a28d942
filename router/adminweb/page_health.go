package adminweb

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/hub"
)

// healthPage shows how the router does, and who follows it.
type healthPage struct {
	screen
	Health
	Answer    string // what is wrong with the store, "" for nothing
	Following []followed
	Clients   []clientRow
	More      int
}

// followed is a set that the router follows.
type followed struct {
	Head    flags.Head
	AsOf    stampTime
	Clients int
}

// stampTime is an instant that parts of templates can show.
type stampTime struct{ Time time.Time }

// clientRow is a client that follows a set.
type clientRow struct {
	hub.Client
	Since  stampTime
	Layers []layer
}

// layer is what a client says of one of its layers.
type layer struct{ Name, State string }

// Bad reports whether the layer is out of order.
func (l layer) Bad() bool {
	return l.State == "open" || l.State == "failing" || l.State == "denied" || l.State == "half-open"
}

// shownClients bounds the list; flagctl has all.
const shownClients = 500

func (v *visit) health() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	p := healthPage{screen: v.screen("Health", "health"), Health: v.opts.Health()}
	if _, err := v.opts.Store.Sets(ctx); err != nil {
		p.Answer = err.Error()
	}
	for _, set := range v.opts.Hub.Sets() {
		asOf := set.AsOf() // before the head
		clients := set.Clients()
		p.Following = append(p.Following, followed{set.Head(), stampTime{asOf}, len(clients)})
		for _, c := range clients {
			if len(p.Clients) == shownClients {
				p.More++
				continue
			}
			row := clientRow{Client: c, Since: stampTime{c.Connected}}
			for _, name := range slices.Sorted(maps.Keys(c.Applied.Layers)) {
				row.Layers = append(row.Layers, layer{name, c.Applied.Layers[name]})
			}
			p.Clients = append(p.Clients, row)
		}
	}
	v.render(http.StatusOK, "health", p)
	return nil
}

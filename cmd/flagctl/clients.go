package main

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// clientView is a process that follows the set, as it is shown.
type clientView struct {
	Name      string            `json:"name"`
	Instance  string            `json:"instance,omitempty"`
	Language  string            `json:"language,omitempty"`
	Version   string            `json:"version,omitempty"`
	Address   string            `json:"address"`
	Set       string            `json:"set"`
	Applied   string            `json:"applied,omitempty"` // token it answers from; absent: it has not said yet
	Lag       uint64            `json:"lag"`               // revisions behind
	Connected time.Time         `json:"connected"`
	Layers    map[string]string `json:"layers,omitempty"`
}

func (a *app) clientsCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "clients", Short: "Show who is connected to the router and which revision each answers from",
		Example: "  flagctl clients --all-sets -o json", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withRouter(cmd.Context(), "clients", func(ctx context.Context, st *grpcstore.Store) error {
				set := a.set
				if all {
					set = ""
				}
				clients, err := st.Clients(ctx, set)
				if err != nil {
					return err
				}
				views := make([]clientView, 0, len(clients))
				for i := range clients {
					views = append(views, viewOfClient(&clients[i]))
				}
				return a.print(views, func(w io.Writer) { clientsTable(w, views) })
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all-sets", false, "of every flag set")
	return cmd
}

func viewOfClient(c *grpcstore.Client) clientView {
	v := clientView{
		Name: c.Identity.Name, Instance: c.Identity.Instance, Language: c.Identity.Language, Version: c.Identity.Version,
		Address: c.Address, Set: c.Set, Lag: c.Lag, Connected: c.Connected, Layers: c.Applied.Layers,
	}
	if !c.Applied.Head.Version.IsZero() {
		v.Applied = c.Applied.Head.Token().String()
	}
	return v
}

func clientsTable(w io.Writer, views []clientView) {
	row(w, "NAME", "INSTANCE", "LANGUAGE", "ADDRESS", "APPLIED", "LAG", "CONNECTED")
	for _, v := range views {
		applied := v.Applied
		if applied == "" {
			applied = "-"
		}
		row(w, v.Name, v.Instance, v.Language, v.Address, applied, v.Lag, v.Connected.Local().Format(time.DateTime))
	}
}

// withRouter runs f on the connection to the router; a store opened directly
// does not know what it would ask.
func (a *app) withRouter(ctx context.Context, verb string, f func(ctx context.Context, st *grpcstore.Store) error) error {
	if a.storeAt != "" {
		return usagef("%s needs a router: leave out --store and HOLDFAST_STORE", verb)
	}
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	st, err := a.router()
	if err != nil {
		return err
	}
	defer st.Close()
	return f(ctx, st)
}

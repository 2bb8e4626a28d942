package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// statusView is how a router, or a store without one, does.
type statusView struct {
	Router   string     `json:"router,omitempty"` // version
	Store    string     `json:"store"`
	Started  *time.Time `json:"started,omitempty"`
	Clients  *int       `json:"clients,omitempty"`
	Sets     []setView  `json:"sets"`
	Mirrors  []sinkView `json:"mirrors,omitempty"`
	Caches   []sinkView `json:"caches,omitempty"`
	Webhooks []sinkView `json:"webhooks,omitempty"`
	Standby  []loadView `json:"standby,omitempty"`
	// Oversize are sets that in-process clients refuse unless they are told to take more.
	Oversize []oversizeView `json:"oversize,omitempty"`
}

// oversizeView is a set whose definition for in-process clients is too large for most.
type oversizeView struct {
	Set   string `json:"set"`
	Bytes uint64 `json:"bytes"`
}

// loadView is what the clients of a set would ask of their secondary without the router.
type loadView struct {
	Set            string  `json:"set"`
	Processes      int     `json:"processes"`
	ReadsPerSecond float64 `json:"readsPerSecond"` // heads, for as long as it lasts
	BytesPerSecond float64 `json:"bytesPerSecond"` // at worst, for 5 s: none of them has the set
}

// sinkView is how one set fares at a mirror, cache or webhook.
type sinkView struct {
	Name     string     `json:"name"`
	Set      string     `json:"set"`
	Revision string     `json:"revision"`
	Lag      uint64     `json:"lag"`
	Error    string     `json:"error,omitempty"`
	NextTry  *time.Time `json:"nextTry,omitempty"`
	Status   int        `json:"httpStatus,omitempty"` // that a webhook answered last
	Gaps     uint64     `json:"gaps,omitempty"`       // times that commits for a webhook were missing from the journal
}

func (a *app) statusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show the sets, and how the router's store, mirrors, caches and webhooks do", Args: cobra.NoArgs,
		Long: `Show the sets, and how the router's store, mirrors, caches and webhooks do. Exits
with 1 where one of them could not be reached at the last attempt.`,
		Example: `  flagctl status
  flagctl status --store bolt:holdfast-data/holdfast.db`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.storeAt != "" {
				return a.with(cmd.Context(), a.storeStatus)
			}
			return a.withRouter(cmd.Context(), "status", a.routerStatus)
		},
	}
}

func (a *app) storeStatus(ctx context.Context, st store.Store) error {
	heads, err := st.Sets(ctx)
	if err != nil {
		return err
	}
	view := statusView{Store: redact.URL(a.storeAt), Sets: []setView{}}
	for _, h := range heads {
		view.Sets = append(view.Sets, viewOfSet(h))
	}
	return a.print(view, func(w io.Writer) { statusTable(w, view) })
}

func (a *app) routerStatus(ctx context.Context, st *grpcstore.Store) error {
	s, err := st.Status(ctx)
	if err != nil {
		return err
	}
	view := statusView{Router: s.Version, Store: s.Store, Started: &s.Started, Clients: &s.Clients, Sets: []setView{}}
	for i := range s.Sets {
		view.Sets = append(view.Sets, viewOfSet(s.Sets[i].Head))
		view.Standby = append(view.Standby, viewOfLoad(&s.Sets[i]))
		if s.Sets[i].SyncOversize {
			view.Oversize = append(view.Oversize, oversizeView{s.Sets[i].Head.Set, s.Sets[i].SyncBytes})
		}
	}
	view.Mirrors, view.Caches, view.Webhooks = viewOfSinks(s.Mirrors), viewOfSinks(s.Caches), viewOfSinks(s.Webhooks)
	if err := a.print(view, func(w io.Writer) { statusTable(w, view) }); err != nil {
		return err
	}
	for _, sink := range slices.Concat(view.Mirrors, view.Caches, view.Webhooks) {
		if sink.Error != "" {
			return errors.New("not all mirrors, caches and webhooks are reached")
		}
	}
	return nil
}

func viewOfLoad(s *grpcstore.SetStatus) loadView {
	reads := float64(s.Clients) / flags.HeadEvery.Seconds()
	return loadView{Set: s.Head.Set, Processes: s.Clients, ReadsPerSecond: reads, BytesPerSecond: reads * float64(s.Bytes)}
}

func viewOfSinks(sinks []grpcstore.SinkStatus) []sinkView {
	views := make([]sinkView, 0, len(sinks))
	for _, s := range sinks {
		v := sinkView{Name: s.Name, Set: s.Set, Revision: s.Version.String(), Lag: s.Lag, Error: s.Error, Status: s.Status, Gaps: s.Gaps}
		if !s.NextTry.IsZero() {
			v.NextTry = &s.NextTry
		}
		views = append(views, v)
	}
	return views
}

func nextTry(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.Local().Format(time.TimeOnly)
}

func statusTable(w io.Writer, v statusView) {
	if v.Router != "" {
		fmt.Fprintf(w, "router %s, store %s, up %s, %d clients\n\n", v.Router, v.Store, time.Since(*v.Started).Round(time.Second), *v.Clients)
	}
	setsTable(w, v.Sets)
	if len(v.Standby) > 0 {
		fmt.Fprintln(w)
		row(w, "WITHOUT ROUTER", "PROCESSES", "READS/S", "BYTES/S AT WORST")
		for _, l := range v.Standby {
			row(w, l.Set, l.Processes, fmt.Sprintf("%.1f", l.ReadsPerSecond), fmt.Sprintf("%.0f", l.BytesPerSecond))
		}
	}
	for _, o := range v.Oversize {
		fmt.Fprintf(w, "\nwarning: in-process clients of %s are sent %.1f MiB with each change, and take 4 unless told to: raise their limit or divide the set\n",
			o.Set, float64(o.Bytes)/(1<<20))
	}
	for _, list := range []struct {
		title string
		sinks []sinkView
	}{{"MIRROR", v.Mirrors}, {"CACHE", v.Caches}, {"WEBHOOK", v.Webhooks}} {
		if len(list.sinks) == 0 {
			continue
		}
		fmt.Fprintln(w)
		row(w, list.title, "SET", "REVISION", "BEHIND", "NEXT TRY", "ERROR")
		for _, s := range list.sinks {
			row(w, s.Name, s.Set, s.Revision, s.Lag, nextTry(s.NextTry), s.Error)
			if s.Gaps > 0 {
				fmt.Fprintf(w, "warning: commits of %s were missing from the journal %d times and were not delivered; see --keep-history\n", s.Set, s.Gaps)
			}
		}
	}
}

package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// Verdicts of the doctor.
const (
	verdictGood  = "ok"
	verdictWrong = "wrong"
)

// checkView is one thing that was looked at.
type checkView struct {
	Check   string `json:"check"`
	Verdict string `json:"verdict"` // ok or wrong
	Found   string `json:"found"`
	Do      string `json:"do,omitempty"`
}

// doctor gathers what was looked at.
type doctor struct {
	*app
	checks []checkView
	wrong  int
}

func (d *doctor) good(check, format string, args ...any) {
	d.checks = append(d.checks, checkView{Check: check, Verdict: verdictGood, Found: fmt.Sprintf(format, args...)})
}

func (d *doctor) bad(check, do, format string, args ...any) {
	d.checks = append(d.checks, checkView{Check: check, Verdict: verdictWrong, Found: fmt.Sprintf(format, args...), Do: do})
	d.wrong++
}

// Bounds of what is in order.
const (
	mostSkew  = 5 * time.Second  // between clocks: ages are shown by them
	mostAge   = 15 * time.Second // since the router's store confirmed a set
	mostLag   = 100              // revisions that a mirror, cache or client is behind
	checkTime = 3 * time.Second  // that one port may take to answer
)

func (a *app) doctorCmd() *cobra.Command {
	p := &ports{}
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong with a router or store, and say what to do", Args: cobra.NoArgs,
		Long: `Look for what is wrong: can the router be reached on all its ports, is the key
good, do the clocks agree, does the store answer, do the sets add up, are mirrors,
caches and clients current. With --store the journal alone is looked at. Exits
with 1 where something is wrong, and says what to do about it.`,
		Example: `  flagctl doctor
  flagctl doctor --server router:8015 --skip ops
  flagctl doctor --store bolt:holdfast-data/holdfast.db`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{app: a}
			if a.storeAt != "" {
				d.checkStore(cmd.Context())
			} else if err := p.settle(a.server); err != nil {
				return err
			} else {
				d.checkRouter(cmd.Context())
				if err := d.checkPorts(cmd.Context(), p); err != nil {
					return err
				}
			}
			if err := a.print(d.checks, func(w io.Writer) { doctorTable(w, d.checks) }); err != nil {
				return err
			}
			if d.wrong > 0 {
				return &exitError{code: exitFailed, err: fmt.Errorf("%d of %d checks found something", d.wrong, len(d.checks)), hint: "the lines with ! say what to do"}
			}
			return nil
		},
	}
	p.register(cmd)
	return cmd
}

func doctorTable(w io.Writer, checks []checkView) {
	for _, c := range checks {
		mark := "ok"
		if c.Verdict == verdictWrong {
			mark = "! "
		}
		row(w, mark+" "+c.Check, c.Found)
		if c.Do != "" {
			row(w, "", "-> "+c.Do)
		}
	}
}

// checkRouter looks at what the router says of itself.
func (d *doctor) checkRouter(ctx context.Context) {
	err := d.withRouter(ctx, "doctor", func(ctx context.Context, st *grpcstore.Store) error {
		begun := time.Now()
		s, err := st.Status(ctx)
		if err != nil {
			return err
		}
		d.good("router", "%s answers in %v: version %s, store %s, up %s", redact.URL(d.server), time.Since(begun).Round(time.Millisecond/10), orUnknown(s.Version), s.Store, time.Since(s.Started).Round(time.Second))
		d.versions(s.Version)
		d.started(s.Started)
		for i := range s.Sets {
			d.checkSet(ctx, st, s.Sets[i].Head)
			if age := s.Sets[i].Age; age > mostAge {
				d.bad("store", "look at the router's log and at its database", "it last confirmed %s %v ago", s.Sets[i].Head.Set, age.Round(time.Second))
			}
		}
		d.named(&s)
		d.sinks("mirror", "is that database up, and may the router write to it?", s.Mirrors)
		d.sinks("cache", "is Redis up? `flagctl cache status` looks at it from here", s.Caches)
		return d.clients(ctx, st)
	})
	if err == nil {
		return
	}
	code, hint := classify(err)
	if code == exitDenied {
		d.bad("key", hint, "%s", message(err))
		return
	}
	d.bad("router", hint, "%s: %s", redact.URL(d.server), message(err))
}

func orUnknown(version string) string {
	if version == "" || version == "(devel)" {
		return "unknown"
	}
	return version
}

func (d *doctor) versions(router string) {
	own := orUnknown(version())
	if own == orUnknown(router) || own == "unknown" || orUnknown(router) == "unknown" {
		return
	}
	d.bad("version", "use the flagctl of the router's release", "flagctl is %s, the router %s", own, router)
}

// started notices a clock that is ahead of ours by more than the router is up.
func (d *doctor) started(at time.Time) {
	if ahead := time.Until(at); ahead > mostSkew {
		d.bad("clock", "set the clocks, by NTP for example", "the router's is ahead of this one by %v or more", ahead.Round(time.Second))
	}
}

// named checks the set that commands are about.
func (d *doctor) named(s *grpcstore.Status) {
	var names []string
	for i := range s.Sets {
		if s.Sets[i].Head.Set == d.app.set {
			return
		}
		names = append(names, s.Sets[i].Head.Set)
	}
	d.bad("set "+d.app.set, "choose one with --set, or `flagctl sets create "+d.app.set+"`", "there is no such set; there are: %s", strings.Join(names, ", "))
}

func (d *doctor) sinks(kind, do string, sinks []grpcstore.SinkStatus) {
	for _, s := range sinks {
		check := kind + " " + s.Name
		switch {
		case s.Error != "":
			d.bad(check, do, "%s: %s", s.Set, s.Error)
		case s.Lag > mostLag:
			d.bad(check, do, "%s is %d revisions behind", s.Set, s.Lag)
		default:
			d.good(check, "%s at %s, %d behind", s.Set, s.Version, s.Lag)
		}
	}
}

func (d *doctor) clients(ctx context.Context, st *grpcstore.Store) error {
	clients, err := st.Clients(ctx, "")
	if err != nil {
		return err
	}
	behind := 0
	for i := range clients {
		if clients[i].Lag > mostLag {
			behind++
		}
	}
	if behind > 0 {
		d.bad("clients", "`flagctl clients --all-sets` shows which; restart them if they do not catch up", "%d of %d are more than %d revisions behind", behind, len(clients), mostLag)
		return nil
	}
	d.good("clients", "%d connected, none far behind", len(clients))
	return nil
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// cacheView is how a cache has one set, next to the router or store.
type cacheView struct {
	Set       string     `json:"set"`
	State     string     `json:"state"`            // fresh, margin, expired, missing, damaged, newer-format or conflict
	Cached    string     `json:"cached,omitempty"` // token
	Head      string     `json:"head"`             // token, of the router or store
	Lag       uint64     `json:"lag"`              // revisions behind
	AsOf      *time.Time `json:"asOf,omitempty"`
	TTL       string     `json:"ttl,omitempty"`     // that it was written with
	TTLLeft   string     `json:"ttlLeft,omitempty"` // until it expires
	Margin    string     `json:"margin,omitempty"`  // at the end, in which it is not used without asking
	Bytes     int64      `json:"bytes"`
	Commits   int64      `json:"commits"`             // after the checkpoint
	Watermark string     `json:"watermark,omitempty"` // newest version ever put; nothing older is taken
	Error     string     `json:"error,omitempty"`
}

// refillView is what became of one set at a refill.
type refillView struct {
	Set     string `json:"set"`
	Token   string `json:"token"`
	Outcome string `json:"outcome"` // stored, renewed, unchanged, older or conflict
}

// cacheFlags are those of both commands.
type cacheFlags struct {
	url     string
	timeout time.Duration
}

func (a *app) cacheCmd() *cobra.Command {
	c := &cacheFlags{}
	cmd := group("cache", "Look at the cache that processes share, and fill it", a.cacheStatusCmd(c), a.cacheRefillCmd(c))
	p := cmd.PersistentFlags()
	p.StringVar(&c.url, "cache", "", "redis://HOST:PORT?prefix=NAME, as the router and the processes have it (HOLDFAST_CACHE)")
	p.DurationVar(&c.timeout, "cache-timeout", 2*time.Second, "how long the cache may take to answer")
	return cmd
}

func (a *app) cacheStatusCmd(c *cacheFlags) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Compare what the cache has with the router or store", Args: cobra.NoArgs,
		Long: `Compare what the cache has with the router or store: the set of --set or
HOLDFAST_SET, or all sets. Exits with 1 where an entry is missing, damaged, behind
or of another history, and where it has expired.`,
		Example: `  flagctl cache status --cache redis://cache:6379
  HOLDFAST_CACHE=redis://cache:6379 flagctl cache status --set checkout-prod -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCache(cmd, c, a.cacheStatus)
		},
	}
}

func (a *app) cacheRefillCmd(c *cacheFlags) *cobra.Command {
	return &cobra.Command{
		Use: "refill", Short: "Put the current sets into the cache", Args: cobra.NoArgs,
		Long: `Put the current sets of the router or store into the cache: the set of --set or
HOLDFAST_SET, or all sets. A newer version in the cache stays; exits with 4 where
that, or another history, kept a set out.`,
		Example: `  flagctl cache refill --cache redis://cache:6379
  flagctl cache refill --cache redis://cache:6379?prefix=holdfast --store mongodb://db/holdfast --set checkout-prod`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCache(cmd, c, a.cacheRefill)
		},
	}
}

// withCache runs f on the cache and the heads of the sets that are meant.
func (a *app) withCache(cmd *cobra.Command, c *cacheFlags, f func(context.Context, *rediscache.Cache, store.Store, []flags.Head) error) error {
	url := c.url
	if url == "" {
		url = a.std.getenv("HOLDFAST_CACHE")
	}
	if url == "" {
		return usagef("which cache? say --cache redis://HOST:PORT or set HOLDFAST_CACHE")
	}
	cache, err := rediscache.Open(url, &rediscache.Options{Timeout: c.timeout})
	if err != nil {
		return usagef("--cache: %v", err)
	}
	defer func() { _ = cache.Close() }() // all that was put has been answered
	one := a.oneSet(cmd)
	return a.with(cmd.Context(), func(ctx context.Context, st store.Store) error {
		heads, err := a.headsOf(ctx, st, one)
		if err != nil {
			return err
		}
		return f(ctx, cache, st, heads)
	})
}

func (a *app) headsOf(ctx context.Context, st store.Store, one bool) ([]flags.Head, error) {
	if !one {
		return st.Sets(ctx)
	}
	head, err := st.Head(ctx, a.set)
	return []flags.Head{head}, err
}

func (a *app) cacheStatus(ctx context.Context, cache *rediscache.Cache, _ store.Store, heads []flags.Head) error {
	views := []cacheView{}
	good := true
	for _, head := range heads {
		in, err := cache.Inspect(ctx, head.Set)
		if err != nil {
			return cacheError(err)
		}
		v := viewOfCache(head, &in)
		good = good && v.Lag == 0 && (v.State == "fresh" || v.State == "margin")
		views = append(views, v)
	}
	if err := a.print(views, func(w io.Writer) { cacheTable(w, views) }); err != nil {
		return err
	}
	if !good {
		return &exitError{code: exitFailed, err: errors.New("the cache is not current"), hint: "`flagctl cache refill` puts what is missing; a router started with --cache does by itself"}
	}
	return nil
}

// cacheError is an error of reaching the cache, which --server has nothing to do with.
func cacheError(err error) error {
	code, hint := exitFailed, "is Redis running, and is --cache right?"
	if flags.ClassOf(err) == flags.ClassDenied {
		code, hint = exitDenied, "this user may not; give one that may in the URL of --cache"
	}
	return &exitError{code: code, err: err, hint: hint}
}

func viewOfCache(head flags.Head, in *rediscache.Inspection) cacheView {
	v := cacheView{Set: head.Set, Head: head.Token().String(), Bytes: in.Bytes, Commits: in.Commits}
	if !in.Watermark.Version.IsZero() {
		v.Watermark = in.Watermark.String()
	}
	if in.Err != nil {
		v.State, v.Lag = stateOf(in.Err), behind(flags.Head{}, head)
		if v.State != "missing" {
			v.Error = in.Err.Error()
		}
		return v
	}
	e := &in.Entry
	left := time.Until(e.ExpiresAt)
	v.Cached, v.AsOf, v.Lag = e.Head.Token().String(), &e.AsOf, behind(e.Head, head)
	v.TTL, v.TTLLeft, v.Margin = seconds(e.TTL()), seconds(max(left, 0)), seconds(e.Margin)
	switch {
	case e.Head.Lineage != head.Lineage, e.Head.Version == head.Version && e.Head.Digest != head.Digest:
		v.State, v.Error = "conflict", "another history, or other contents at this version"
	case left <= 0:
		v.State = "expired"
	case !e.Usable(time.Now()):
		v.State = "margin"
	default:
		v.State = "fresh"
	}
	return v
}

func stateOf(err error) string {
	switch {
	case errors.Is(err, cachestrategy.ErrMiss):
		return "missing"
	case errors.Is(err, cachestrategy.ErrNewerFormat):
		return "newer-format"
	default:
		return "damaged"
	}
}

// behind counts the revisions that h is behind head; at least one in another epoch.
func behind(h, head flags.Head) uint64 {
	switch {
	case !h.Version.Before(head.Version):
		return 0
	case h.Epoch == head.Epoch:
		return head.Revision - h.Revision
	default:
		return max(1, head.Revision)
	}
}

func seconds(d time.Duration) string { return d.Round(time.Millisecond).String() }

func cacheTable(w io.Writer, views []cacheView) {
	row(w, "SET", "STATE", "CACHED", "HEAD", "BEHIND", "AS OF", "TTL LEFT", "MARGIN", "BYTES", "COMMITS", "WATERMARK")
	for _, v := range views {
		asOf := "-"
		if v.AsOf != nil {
			asOf = v.AsOf.Local().Format(time.DateTime)
		}
		row(w, v.Set, v.State, orDash(v.Cached), v.Head, v.Lag, asOf, orDash(v.TTLLeft), orDash(v.Margin), v.Bytes, v.Commits, orDash(v.Watermark))
	}
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (a *app) cacheRefill(ctx context.Context, cache *rediscache.Cache, st store.Store, heads []flags.Head) error {
	layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{
		Authoritative: func(flags.Lineage) bool { return true },
		Origin:        true, // it comes from who writes the set
	})
	views := []refillView{}
	kept := false
	for _, head := range heads {
		asked := time.Now()
		u, err := st.Fetch(ctx, head.Set, flags.Head{Set: head.Set})
		if err != nil {
			return err
		}
		contents, err := store.Assemble(head.Set, u)
		if err != nil {
			return err
		}
		whole := contents.Checkpoint()
		outcome, err := layer.Offer(ctx, flags.Update{Head: whole.Head, Checkpoint: whole, AsOf: asked}, nil)
		if err != nil {
			return cacheError(err)
		}
		kept = kept || outcome == cachestrategy.Older || outcome == cachestrategy.Conflict
		views = append(views, refillView{Set: head.Set, Token: whole.Token().String(), Outcome: outcome.String()})
	}
	err := a.print(views, func(w io.Writer) {
		row(w, "SET", "REVISION", "OUTCOME")
		for _, v := range views {
			row(w, v.Set, v.Token, v.Outcome)
		}
	})
	if err == nil && kept {
		return &exitError{
			code: exitConflict, err: fmt.Errorf("the cache kept what it has"),
			hint: "it is newer than the router or store; `flagctl cache status` shows it",
		}
	}
	return err
}

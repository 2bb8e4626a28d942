package flags

import (
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/holdfast-flags/holdfast/internal/sabotage"
)

// Options configures a [Client]. Any subset of the layers works; without one at
// all every read gives its default. The zero value of every other field is what
// production should run with.
type Options struct {
	Set string // the flag set to follow; default "default"

	// The layers, best first. The answers of Primary and Secondary say which
	// lineage the set has; Cache and Disk only shorten the way there.
	Primary   Layer // followed by its Watcher, or polled without one
	Secondary Layer // read while the primary cannot serve, and tried out while it can
	Cache     Layer // read at start and during outages; its Sink is kept current
	Disk      Layer // read first at start; its Sink is offered every change

	FreshFor time.Duration // age from which answers are reported stale; default 54 s (a 60 s TTL less 10 %)
	// Lifetime says, of each set that is held, how long copies of it are good for and how long
	// before the end they are asked for again. Nil: Cache.TTL, and FreshFor instead of the rest of it.
	Lifetime     func(*Snapshot) (ttl, margin time.Duration)
	MaxStaleness time.Duration // age from which answers are stale whatever FreshFor says, and strict reads give defaults; default 0: none
	Strict       bool          // every read is made as with the function Strict: past MaxStaleness all give their defaults. Default false
	StartTimeout time.Duration // how long New waits for a first snapshot, that of the disk included; default 1.5 s, negative: not at all

	Logger   *slog.Logger // default slog.Default()
	Observer Observer     // told what goes on behind the reads, for metrics
	Hooks    []Hook       // that take part in reads, first to last

	// Owned are closed by Close, in reverse order, after everything that uses them
	// has ended: what the layers are made of, where nobody else owns it.
	Owned []io.Closer

	guards sabotage.Guards // that a test has switched off
}

// Layer is one place that flag sets come from, go to, or both. A Layer without
// a Source and a Sink is absent.
type Layer struct {
	Name    string        // shown in details, Status and logs; default the role: primary, secondary, cache, disk
	Source  Source        // where sets come from
	Watcher Watcher       // primary only: pushes changes
	Sink    Sink          // cache and disk only: takes every installed set
	Gate    Gate          // guards every call; default lets all through. Not shared with another layer
	Timeout time.Duration // to the first answer; default 1 s (cache 100 ms). What follows has 30 s
	Poll    time.Duration // primary without a Watcher only: how often its head is asked for, +-20 %. Default 5 s
	TTL     time.Duration // cache only: how long its entries live; they are renewed at about 80 % of it. Default 60 s
}

func (l *Layer) absent() bool { return l.Source == nil && l.Sink == nil }

func (o Options) withDefaults() (Options, error) {
	if o.Set == "" {
		o.Set = "default"
	}
	if err := CheckSetName(o.Set); err != nil {
		return o, err
	}
	roles := map[string]*Layer{"primary": &o.Primary, "secondary": &o.Secondary, "cache": &o.Cache, "disk": &o.Disk}
	for role, l := range roles {
		if l.Watcher != nil && (role != "primary" || l.Source == nil) {
			return o, fmt.Errorf("%w options: %s has a Watcher; only a primary with a Source can", ErrInvalid, role)
		}
		l.withDefaults(role)
	}
	if o.FreshFor <= 0 {
		o.FreshFor = 54 * time.Second
	}
	if o.StartTimeout == 0 {
		o.StartTimeout = 1500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o, nil
}

func (l *Layer) withDefaults(role string) {
	if l.Name == "" {
		l.Name = role
	}
	if l.Gate == nil {
		l.Gate = ungated{}
	}
	if l.Timeout <= 0 {
		l.Timeout = time.Second
		if role == "cache" {
			l.Timeout = 100 * time.Millisecond
		}
	}
	if l.Poll <= 0 {
		l.Poll = pollEvery
	}
	if l.TTL <= 0 {
		l.TTL = time.Minute
	}
}

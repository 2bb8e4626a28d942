package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/pflag"

	"github.com/holdfast-flags/holdfast/breaker"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/keyfile"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// relayFile is where a relay keeps what it holds, and its records.
const relayFile = "relay.db"

// upstreamAccess are files with what a relay shows to the router in front of which it is.
type upstreamAccess struct{ apiKey, ca, cert, key string }

func (u *upstreamAccess) flags(f *pflag.FlagSet) {
	f.StringVar(&u.apiKey, "store-api-key-file", "", "file with the API key for --store grpc://; that of an admin, so that writes keep their author")
	f.StringVar(&u.ca, "store-ca", "", "CA file (PEM) that the certificate of --store grpcs:// must be signed by; default: the system's")
	f.StringVar(&u.cert, "store-cert", "", "certificate file (PEM) to show to --store grpcs://")
	f.StringVar(&u.key, "store-key", "", "key file (PEM) of --store-cert")
}

// openUpstream asks nobody anything, so that what it does not like is the configuration.
func openUpstream(c *config) (*grpcstore.Store, error) {
	o := grpcstore.Options{Relay: true, Identity: grpcstore.Identity{Name: "flagrouter relay", Version: version()}}
	var err error
	if c.upstream.apiKey != "" {
		if o.APIKeyFrom, err = keyfile.Key(c.upstream.apiKey); err != nil {
			return nil, &configError{fmt.Errorf("--store-api-key-file: %w", err)}
		}
	}
	if o.TLSFrom, err = keyfile.Client(c.upstream.cert, c.upstream.key, c.upstream.ca); err != nil {
		return nil, &configError{fmt.Errorf("--store-ca, --store-cert, --store-key: %w", err)}
	}
	upstream, err := grpcstore.Open(c.store, &o)
	if err != nil {
		return nil, &configError{err}
	}
	return upstream, nil
}

// openRelay opens the store of a router in front of another: the upstream, and the file
// with what was seen of it, which is a mirror of this router like any other.
func openRelay(c *config, o *opened, log *slog.Logger) error {
	upstream, err := openUpstream(c)
	if err != nil {
		return err
	}
	disk, err := openBolt(c, relayFile, o.hold)
	if err != nil {
		return errors.Join(err, upstream.Close())
	}
	o.relay = store.Relay(upstream, disk, relayGate(o.name, log))
	o.kind, o.Store, o.records = "relay", o.relay, disk
	o.disk = []router.Mirror{{Name: "bolt:" + relayFile, Replica: disk}}
	return nil
}

// upstream returns what tells how the upstream does; nil where there is none.
func (o *opened) upstream() func() error {
	if o.relay == nil {
		return nil
	}
	return o.relay.Err
}

// relayGate does not wait longer for a probe than a router does between its own attempts:
// relays are few, so their questions are no load.
func relayGate(name string, log *slog.Logger) *breaker.Breaker {
	return breaker.New(breaker.Options{
		Name: "upstream", Cooldown: time.Second, MaxCooldown: 5 * time.Second, ProbeBudget: 40 * time.Second,
		Classify: func(err error) breaker.Outcome {
			switch flags.ClassOf(err) {
			case flags.ClassNotFound:
				return breaker.Success
			case flags.ClassTransient:
				return breaker.Failure
			default:
				return breaker.Ignored
			}
		},
		OnTrip: func(t breaker.Trip) {
			if !t.Probe {
				log.Error("upstream cannot serve; answering from what is held", "store", name, "cause", t.Err)
			}
		},
		OnClose: func(t breaker.Closing) {
			log.Info("upstream serves again", "store", name, "open", t.OpenFor.Round(time.Millisecond))
		},
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// Values of --auth.
const (
	authOff  = "off"
	authKeys = "keys"
)

func (c *config) checkAccess() error {
	if c.auth != authOff && c.auth != authKeys {
		return fmt.Errorf("--auth %s: want off or keys", c.auth)
	}
	if c.auth == authOff && len(c.certRoles)+len(c.publicSets) > 0 {
		return errors.New("--cert-role and --public-read need --auth keys")
	}
	if len(c.certRoles) > 0 && c.tlsClientCA == "" {
		return errors.New("--cert-role needs --tls-client-ca, by which certificates are checked")
	}
	for _, set := range c.publicSets {
		if err := flags.CheckSetName(set); err != nil {
			return fmt.Errorf("--public-read: %w", err)
		}
	}
	_, err := c.parseCertRoles()
	return err
}

func (c *config) parseCertRoles() ([]authz.CertRole, error) {
	roles := make([]authz.CertRole, 0, len(c.certRoles))
	for _, text := range c.certRoles {
		role, err := authz.ParseCertRole(text)
		if err != nil {
			return nil, fmt.Errorf("--cert-role: %w", err)
		}
		roles = append(roles, role)
	}
	return roles, nil
}

// access is who may do what.
type access struct {
	authz.Policy
	records store.Records // nil with access control off
	keys    *authz.Keys   // likewise
}

// openAccess reads the keys, and makes and shows the first one.
func openAccess(ctx context.Context, c *config, st *opened, out io.Writer, log *slog.Logger) (*access, error) {
	if c.auth == authOff {
		return &access{Policy: authz.Open{}, records: st.records}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	roles, err := c.parseCertRoles()
	if err != nil {
		return nil, err
	}
	first, err := authz.FirstKey(ctx, st.records)
	if err != nil {
		return nil, fmt.Errorf("make the first API key in store %s: %w", st.name, err)
	}
	keys, err := authz.NewKeys(ctx, authz.KeysOptions{
		Records: st.records, Certificates: roles, PublicSets: c.publicSets, Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("read the API keys of store %s: %w", st.name, err)
	}
	if first != "" {
		// Not in the log: what is there is read by many, and for long.
		if _, err := fmt.Fprintf(out, "first admin key, shown only now: %s\n", first); err != nil {
			return nil, fmt.Errorf("show the first API key: %w", err)
		}
		log.Warn("made the first admin key and printed it to standard output; make keys of your own with flagctl apikey create, then revoke it")
	}
	if c.tlsCert == "" && c.beyondLoopback() {
		log.Warn("without --tls-cert API keys cross the network in the clear")
	}
	return &access{Policy: keys, records: keys.Records(), keys: keys}, nil
}

// run keeps the keys current until ctx ends; the func it returns waits for the end.
func (a *access) run(ctx context.Context) (wait func()) {
	if a.keys == nil {
		return func() {}
	}
	ctx, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	wg.Go(func() { a.keys.Run(ctx) })
	return func() {
		stop()
		wg.Wait()
	}
}

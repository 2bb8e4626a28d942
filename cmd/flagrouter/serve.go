package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/flagdfile"
	"github.com/holdfast-flags/holdfast/internal/keyfile"
	"github.com/holdfast-flags/holdfast/router"
)

// defaultSet is the flag set of whoever names none.
const defaultSet = "default"

// startLimit bounds the first answer of the store.
const startLimit = 5 * time.Second

// serve puts everything together, says what is served, and returns once ctx has
// ended and all of it is down.
func serve(ctx context.Context, c *config, out io.Writer, log *slog.Logger) error {
	tlsConfig, err := loadTLS(c)
	if err != nil {
		return &configError{err}
	}
	// Before anything is touched: a broken file must not leave half a new store.
	seed, err := readSeed(c)
	if err != nil {
		return &configError{err}
	}
	on, err := listen(ctx, c)
	if err != nil {
		return err
	}
	defer closeAll(on)
	to, err := openPlaces(ctx, c, log)
	if err != nil {
		return err
	}
	defer to.close()
	st, err := openStore(ctx, c, log)
	if err != nil {
		return err
	}
	head, err := begin(ctx, c, st, seed, log)
	if err != nil {
		if ctx.Err() != nil {
			err = nil // told to stop before it began
		}
		return errors.Join(err, st.Close())
	}
	hooks, err := openWebhooks(c, st)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	static, _ := c.staticContext() // both were checked
	headers, _ := c.headerContext()
	policy, err := openAccess(ctx, c, st, out, log)
	if err != nil {
		return errors.Join(err, st.Close())
	}
	defer policy.run(ctx)()
	r := router.New(router.Options{
		Policy: policy.Policy, Records: policy.records, Context: static, HeaderContext: headers,
		Store: st.Store, StoreKind: st.kind, Upstream: st.upstream(), Mirrors: append(st.disk, to.mirrors...), Caches: to.caches, Webhooks: hooks,
		CORSOrigins: c.corsOrigins, OFREPRate: c.ofrepRate,
		TLS: tlsConfig, Profiling: c.profiling, Version: version(), Logger: log,
	})
	st.router.Store(r)
	if err := checkMirrors(ctx, r); err != nil {
		return errors.Join(err, r.Close())
	}
	announce(log, c, st, on, head)
	return r.Serve(ctx, on)
}

// checkMirrors refuses to start beside a mirror of another history.
func checkMirrors(ctx context.Context, r *router.Router) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	return r.CheckMirrors(ctx)
}

// begin makes sure that the store answers and has the default set.
func begin(ctx context.Context, c *config, st *opened, seed *flags.Document, log *slog.Logger) (flags.Head, error) {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	doc, from, err := seedOf(c, st, seed)
	if err != nil {
		return flags.Head{}, err
	}
	created := false
	if st.relay != nil { // its flags are somebody else's
		_, err = st.Sets(ctx)
	} else {
		created, err = router.Seed(ctx, st, defaultSet, doc, from)
	}
	if err != nil {
		return flags.Head{}, fmt.Errorf("store %s: %w", st.name, err)
	}
	head, err := st.Head(ctx, defaultSet)
	if err != nil && flags.ClassOf(err) != flags.ClassNotFound {
		return flags.Head{}, fmt.Errorf("store %s: %w", st.name, err)
	}
	switch {
	case created:
		log.Info("began a new store", "with", from, "token", head.Token().String())
	case c.seed != "":
		log.Warn("store is not new; --seed was left out", "file", c.seed)
	}
	return head, nil
}

// readSeed returns the flags of --seed, nil without. The file is read in any case,
// so that a broken one is found at once and not when it is needed.
func readSeed(c *config) (*flags.Document, error) {
	if c.seed == "" {
		return nil, nil
	}
	doc, err := flagdfile.Read(c.seed)
	if err == nil {
		err = doc.Check()
	}
	if err != nil {
		return nil, fmt.Errorf("--seed: %w", err)
	}
	return doc, nil
}

// seedOf returns what a new store begins with, and where it is from.
func seedOf(c *config, st *opened, seed *flags.Document) (*flags.Document, string, error) {
	switch {
	case seed != nil:
		return seed, c.seed, nil
	case !st.sample:
		return nil, "an empty set", nil
	}
	doc, err := router.Sample()
	return doc, "the sample", err
}

// listen opens all addresses before anything else is touched.
func listen(ctx context.Context, c *config) (router.Listeners, error) {
	var on router.Listeners
	var config net.ListenConfig
	for _, l := range []struct {
		flag, addr string
		to         *net.Listener
	}{
		{"--grpc-addr", c.grpcAddr, &on.GRPC}, {"--eval-addr", c.evalAddr, &on.Eval},
		{"--http-addr", c.httpAddr, &on.HTTP}, {"--ops-addr", c.opsAddr, &on.Ops},
	} {
		opened, err := config.Listen(ctx, "tcp", l.addr)
		if errors.Is(err, syscall.EADDRINUSE) {
			err = fmt.Errorf("%s %s: port is in use; is another flagrouter running? stop it or name another address", l.flag, l.addr)
		}
		if err != nil {
			closeAll(on)
			return router.Listeners{}, fmt.Errorf("cannot listen: %w", err)
		}
		*l.to = opened
	}
	on.EvalName, _, _ = net.SplitHostPort(c.evalAddr) // they were listened on
	on.HTTPName, _, _ = net.SplitHostPort(c.httpAddr)
	on.OpsName, _, _ = net.SplitHostPort(c.opsAddr)
	return on, nil
}

func closeAll(on router.Listeners) {
	for _, l := range []net.Listener{on.GRPC, on.Eval, on.HTTP, on.Ops} {
		if l != nil {
			_ = l.Close() // closed already where it was served
		}
	}
}

// loadTLS reads the certificates, which are read again when the files change.
func loadTLS(c *config) (*tls.Config, error) {
	if c.tlsCert == "" {
		return nil, nil
	}
	clients := tls.RequireAndVerifyClientCert
	if c.auth == authKeys {
		clients = tls.VerifyClientCertIfGiven // who shows none needs a key
	}
	config, err := keyfile.Server(c.tlsCert, c.tlsKey, c.tlsClientCA, clients)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert %s, --tls-key %s, --tls-client-ca %s: %w", c.tlsCert, c.tlsKey, cmp.Or(c.tlsClientCA, "none"), err)
	}
	return config, nil
}

// announce tells what is served where.
func announce(log *slog.Logger, c *config, st *opened, on router.Listeners, head flags.Head) {
	scheme := "http://"
	if c.tlsCert != "" {
		scheme = "https://"
	}
	log.Info("serving", "page", scheme+on.HTTP.Addr().String(), "grpc", on.GRPC.Addr().String(),
		"eval", on.Eval.Addr().String(), "ops", scheme+on.Ops.Addr().String(), "store", st.name, "auth", c.auth, "token", head.Token().String())
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return ""
}

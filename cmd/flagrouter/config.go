package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/holdfast-flags/holdfast/internal/redact"
	"github.com/holdfast-flags/holdfast/router/cors"
)

// config is everything that can be said, however it was said.
type config struct {
	store, dataDir               string
	upstream                     upstreamAccess
	mirrors                      []string
	cache                        string
	grpcAddr, httpAddr, opsAddr  string
	corsOrigins                  []string
	webhooks                     []string
	keepHistory                  string
	keep                         retention // keepHistory, read
	ofrepRate                    float64
	evalAddr                     string
	context, contextFromHeader   []string
	tlsCert, tlsKey, tlsClientCA string
	auth                         string
	certRoles, publicSets        []string
	insecure                     bool
	seed, configFile             string
	logFormat, logLevel          string
	profiling                    bool
	printVersion                 bool
}

func (c *config) flagSet() *pflag.FlagSet {
	f := pflag.NewFlagSet("flagrouter", pflag.ContinueOnError)
	f.SortFlags = false
	f.StringVar(&c.store, "store", defaultStore, "where flags live: bolt:PATH, mongodb://HOST/DATABASE, memory:, or with another router: grpc://HOST:PORT, grpcs://")
	c.upstream.flags(f)
	f.StringVar(&c.dataDir, "data-dir", "./holdfast-data", "folder that relative bolt paths are in")
	f.StringArrayVar(&c.mirrors, "mirror", nil, "mongodb://HOST/DATABASE to keep as current as the store; repeatable")
	f.StringVar(&c.cache, "cache", "", "redis://HOST:PORT to publish every change into")
	f.StringArrayVar(&c.webhooks, "webhook", nil, "URL#FILE: post every commit to the URL, signed with what is in the file; repeatable")
	f.StringVar(&c.keepHistory, "keep-history", "24h,10000", "AGE,COMMITS: commits are forgotten once they are older and not among so many newest of their set; as 90d, 90d,50000 or all")
	f.StringVar(&c.grpcAddr, "grpc-addr", "127.0.0.1:8015", "gRPC API for SDKs and flagctl, health, reflection")
	f.StringVar(&c.evalAddr, "eval-addr", "127.0.0.1:8013", "flagd's evaluation protocols: gRPC, gRPC-Web, Connect")
	f.StringVar(&c.httpAddr, "http-addr", "127.0.0.1:8016", "page with the flags, OFREP, REST")
	f.StringVar(&c.opsAddr, "ops-addr", "127.0.0.1:8014", "/livez, /readyz, /metrics")
	f.StringArrayVar(&c.corsOrigins, "cors-origin", nil, "origin whose web pages may evaluate flags, https://app.example or *; repeatable")
	f.Float64Var(&c.ofrepRate, "ofrep-rate", 0, "OFREP requests per second and API key or address, 429 above; 0 is any number")
	f.StringArrayVar(&c.context, "context", nil, "KEY=VALUE that every evaluation sees, whatever its own context says; repeatable")
	f.StringArrayVar(&c.contextFromHeader, "context-from-header", nil, "HEADER=KEY: evaluations see the request header as KEY, before all else; repeatable")
	f.StringVar(&c.tlsCert, "tls-cert", "", "certificate file (PEM) for all of them")
	f.StringVar(&c.tlsKey, "tls-key", "", "key file (PEM) of --tls-cert")
	f.StringVar(&c.tlsClientCA, "tls-client-ca", "", "CA file (PEM) that clients' certificates must be signed by; with --auth keys a client may do without one")
	f.StringVar(&c.auth, "auth", "off", "off, on loopback only, or keys: who comes without a key or certificate is refused")
	f.StringArrayVar(&c.certRoles, "cert-role", nil, "role of clients by certificate, as CN=payments,role=evaluator,set=checkout; repeatable")
	f.StringSliceVar(&c.publicSets, "public-read", nil, "flag sets that need no key to be evaluated, as SET,SET; for flagd's clients, which send none")
	f.BoolVar(&c.insecure, "insecure", false, "allow addresses that are not loopback without access control")
	f.StringVar(&c.seed, "seed", "", "flagd file (JSON or YAML) to begin a new store with, instead of the sample")
	f.StringVar(&c.configFile, "config", "", "YAML file with any of these, without the dashes")
	f.StringVar(&c.logFormat, "log-format", "", "text or json (default: text on a terminal, else json)")
	f.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	f.BoolVar(&c.profiling, "pprof", false, "serve /debug/pprof on --ops-addr")
	f.BoolVar(&c.printVersion, "version", false, "print the version and end")
	return f
}

// parse reads the flags, then the environment, then the file; what was said
// first stays. The error is one line, or pflag.ErrHelp.
func parse(args []string, env func(string) string) (*config, error) {
	c := &config{}
	f := c.flagSet()
	f.Usage = func() {} // printed by run
	if err := f.Parse(args); err != nil {
		return nil, sayWhich(f, err)
	}
	if c.printVersion {
		return c, nil
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q; see flagrouter --help", f.Arg(0))
	}
	if err := fromEnv(f, env); err != nil {
		return nil, err
	}
	if c.configFile != "" {
		if err := fromFile(f, c.configFile); err != nil {
			return nil, err
		}
	}
	return c, c.check()
}

func envName(flag string) string {
	return "FLAGROUTER_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func fromEnv(f *pflag.FlagSet, env func(string) string) error {
	var faults []error
	f.VisitAll(func(fl *pflag.Flag) {
		value := env(envName(fl.Name))
		if value == "" || fl.Changed || fl.Name == "version" { // images carry a variable of that name
			return
		}
		values, err := split(fl, value)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", envName(fl.Name), err))
		}
		for _, v := range values {
			if err := f.Set(fl.Name, v); err != nil {
				faults = append(faults, badValue(envName(fl.Name), fl, v))
			}
		}
	})
	return errors.Join(faults...)
}

// split takes a list from a variable of the environment: one value a line or, on a single
// line, separated by spaces. A pair whose value has spaces may stand alone on that line;
// beside others it would be guesswork what belongs together.
func split(fl *pflag.Flag, value string) ([]string, error) {
	if fl.Value.Type() != "stringArray" {
		return []string{value}, nil
	}
	var values []string
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line != "" {
				values = append(values, line)
			}
		}
		return values, nil
	}
	values = strings.Fields(value)
	if fl.Name != "context" || !slices.ContainsFunc(values, func(word string) bool { return !strings.Contains(word, "=") }) {
		return values, nil
	}
	if strings.Count(value, "=") > 1 {
		return nil, errors.New("a value has spaces: put each KEY=VALUE on a line of its own")
	}
	return []string{strings.TrimSpace(value)}, nil
}

func fromFile(f *pflag.FlagSet, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return fmt.Errorf("--config %s: %w", path, err)
	}
	if len(doc.Content) == 0 {
		return nil // empty
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return fmt.Errorf("--config %s: want a mapping of option names to values", path)
	}
	said := map[string]bool{} // by a flag or a variable, which win
	f.Visit(func(fl *pflag.Flag) { said[fl.Name] = true })
	var seen []string
	for i := 0; i < len(root.Content); i += 2 {
		key, value := root.Content[i], root.Content[i+1]
		fault := func(format string, a ...any) error {
			return fmt.Errorf("--config %s:%d: %s", path, key.Line, fmt.Sprintf(format, a...))
		}
		if f.Lookup(key.Value) == nil || !inFile(key.Value) {
			return fault("unknown option %q%s", key.Value, meant(f, key.Value, ""))
		}
		if slices.Contains(seen, key.Value) {
			return fault("%s is said twice", key.Value)
		}
		seen = append(seen, key.Value)
		if said[key.Value] {
			continue
		}
		values, ok := scalars(value)
		if !ok || value.Kind == yaml.SequenceNode && f.Lookup(key.Value).Value.Type() != "stringArray" {
			return fault("%s: want a value or, for what is repeatable, a list of values", key.Value)
		}
		for _, v := range values {
			if err := f.Set(key.Value, v); err != nil {
				return fault("%v", badValue(key.Value, f.Lookup(key.Value), v))
			}
		}
	}
	return nil
}

// inFile reports whether an option can be said in the file of --config.
func inFile(name string) bool { return name != "config" && name != "version" }

func scalars(n *yaml.Node) ([]string, bool) {
	switch n.Kind {
	case yaml.ScalarNode:
		return []string{n.Value}, true
	case yaml.SequenceNode:
		var out []string
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode {
				return nil, false
			}
			out = append(out, item.Value)
		}
		return out, true
	default:
		return nil, false
	}
}

// check finds what cannot be right whatever the machine is like.
func (c *config) check() error {
	if err := c.checkAccess(); err != nil {
		return err
	}
	if !slices.Contains([]string{"", "text", "json"}, c.logFormat) {
		return fmt.Errorf("--log-format %s: want text or json", c.logFormat)
	}
	if _, err := levelOf(c.logLevel); err != nil {
		return err
	}
	if (c.tlsCert == "") != (c.tlsKey == "") {
		return errors.New("--tls-cert and --tls-key come together")
	}
	if c.tlsClientCA != "" && c.tlsCert == "" {
		return errors.New("--tls-client-ca needs --tls-cert and --tls-key")
	}
	for _, a := range []struct{ flag, addr string }{
		{"--grpc-addr", c.grpcAddr}, {"--eval-addr", c.evalAddr}, {"--http-addr", c.httpAddr}, {"--ops-addr", c.opsAddr},
	} {
		if err := c.checkAddr(a.flag, a.addr); err != nil {
			return err
		}
	}
	for _, origin := range c.corsOrigins {
		if err := cors.Check(origin); err != nil {
			return fmt.Errorf("--cors-origin: %w", err)
		}
	}
	for _, text := range c.webhooks {
		if _, _, err := splitWebhook(text); err != nil {
			return err
		}
	}
	var err error
	if c.keep, err = parseRetention(c.keepHistory); err != nil {
		return fmt.Errorf("--keep-history: %w", err)
	}
	if !(c.ofrepRate >= 0) {
		return fmt.Errorf("--ofrep-rate %v: want 0 or more requests per second", c.ofrepRate)
	}
	if _, err := c.staticContext(); err != nil {
		return err
	}
	if _, err := c.headerContext(); err != nil {
		return err
	}
	return c.checkStores()
}

func (c *config) checkAddr(flag, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s %q: want HOST:PORT", flag, addr)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%s %q: want HOST:PORT with a port from 0 to 65535", flag, addr)
	}
	if !isLoopback(host) && !c.insecure && c.auth == authOff {
		return fmt.Errorf("%s %s: with --auth off only loopback addresses are served; say --auth keys, or --insecure to serve everybody who can reach it", flag, addr)
	}
	return nil
}

func isLoopback(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// beyondLoopback reports whether keys are asked for from other machines.
func (c *config) beyondLoopback() bool {
	for _, addr := range []string{c.grpcAddr, c.evalAddr, c.httpAddr} {
		if host, _, err := net.SplitHostPort(addr); err == nil && !isLoopback(host) {
			return true
		}
	}
	return false
}

func (c *config) checkStores() error {
	switch scheme, rest, _ := strings.Cut(c.store, ":"); scheme {
	case "mongodb", "mongodb+srv":
		if !isMongo(c.store) {
			return fmt.Errorf("--store %q: want mongodb://HOST/DATABASE", redact.URL(c.store))
		}
	case "bolt":
		if rest == "" {
			return errors.New("--store bolt: names no file; want bolt:PATH")
		}
	case "memory":
		if rest != "" {
			return fmt.Errorf("--store %s: memory: takes no more", c.store)
		}
	case "grpc", "grpcs":
		if c.seed != "" {
			return errors.New("--seed: a relay's flags are those of its --store")
		}
	default:
		return fmt.Errorf("--store %q: want bolt:PATH, mongodb://HOST/DATABASE, grpc://HOST:PORT or memory", redact.URL(c.store))
	}
	if c.upstream != (upstreamAccess{}) && !isRouter(c.store) {
		return errors.New("--store-api-key-file, --store-ca, --store-cert and --store-key are for --store grpc:// and grpcs://")
	}
	names := map[string]bool{}
	for _, m := range c.mirrors {
		name := redact.URL(m)
		switch {
		case !isMongo(m):
			return fmt.Errorf("--mirror %q: want mongodb://HOST/DATABASE", name)
		case names[name]: // status and metrics could not tell them apart, if they are two
			return fmt.Errorf("--mirror says %s twice", name)
		}
		names[name] = true
	}
	if c.cache != "" && !strings.HasPrefix(c.cache, "redis://") && !strings.HasPrefix(c.cache, "rediss://") {
		return fmt.Errorf("--cache %q: want redis://HOST:PORT", redact.URL(c.cache))
	}
	return nil
}

func isRouter(uri string) bool {
	return strings.HasPrefix(uri, "grpc:") || strings.HasPrefix(uri, "grpcs:")
}

func isMongo(uri string) bool {
	return strings.HasPrefix(uri, "mongodb://") || strings.HasPrefix(uri, "mongodb+srv://")
}

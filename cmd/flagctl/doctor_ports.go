package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/holdfast-flags/holdfast/internal/redact"
)

// ports are where a router serves what is not our own gRPC API.
type ports struct {
	eval, http, ops string
	skip            []string
}

func (p *ports) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&p.eval, "eval-addr", "", "HOST:PORT of flagd's evaluation protocols (default: the router's host, port 8013)")
	f.StringVar(&p.http, "http-addr", "", "HOST:PORT of OFREP, REST and the admin page (default: the router's host, port 8016)")
	f.StringVar(&p.ops, "ops-addr", "", "HOST:PORT of health and metrics (default: the router's host, port 8014)")
	f.StringSliceVar(&p.skip, "skip", nil, "ports that cannot be reached from here: eval, http, ops")
	mustComplete(cmd, "skip", "eval", "http", "ops")
}

// settle fills in the ports that a router has by default.
func (p *ports) settle(server string) error {
	for _, name := range p.skip {
		if !slices.Contains([]string{"eval", "http", "ops"}, name) {
			return usagef("--skip %q: want eval, http or ops", name)
		}
	}
	address := server
	if u, err := url.Parse(server); err == nil && u.Host != "" {
		address = u.Host
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return usagef("--server %q: want HOST:PORT", redact.URL(server))
	}
	for addr, port := range map[*string]string{&p.eval: "8013", &p.http: "8016", &p.ops: "8014"} {
		if *addr == "" {
			*addr = net.JoinHostPort(host, port)
		}
	}
	return nil
}

// checkPorts asks each port something that it answers to anybody, with TLS if the
// command line says so.
func (d *doctor) checkPorts(ctx context.Context, p *ports) error {
	current, err := d.tls()
	if err != nil {
		return err
	}
	scheme, transport := "http://", &http.Transport{}
	defer transport.CloseIdleConnections()
	if current != nil || strings.HasPrefix(d.server, "grpcs://") {
		scheme = "https://"
	}
	if current != nil {
		transport.TLSClientConfig = current()
	}
	var shown *x509.Certificate
	for _, port := range []struct{ name, addr, path string }{
		{"eval", p.eval, "/"}, // any answer will do
		{"http", p.http, "/api/v1/sets"},
		{"ops", p.ops, "/readyz"},
	} {
		if slices.Contains(p.skip, port.name) {
			continue
		}
		got, err := ask(ctx, transport, scheme+port.addr+port.path)
		switch {
		case err != nil:
			do := fmt.Sprintf("is it what the router was started with? say --%s-addr, or --skip %s", port.name, port.name)
			d.bad(port.name, cmp.Or(tlsHint(err), do), "%s: %s", port.addr, portError(err))
		case port.name == "ops" && got.status != http.StatusOK:
			d.bad(port.name, "look at the router's log; it takes no clients like this", "%s is not ready: %s", port.addr, strings.TrimSpace(got.body))
		case got.status >= http.StatusInternalServerError:
			d.bad(port.name, "look at the router's log", "%s answers with status %d", port.addr, got.status)
		default:
			d.good(port.name, "%s answers", port.addr)
		}
		if err == nil && port.name == "http" {
			d.clock(got)
		}
		shown = cmp.Or(shown, got.certificate)
	}
	d.certificate(shown)
	return nil
}

// certificate notices one that should have been renewed by now.
func (d *doctor) certificate(c *x509.Certificate) {
	if c == nil {
		return
	}
	const last = 10 // the part of its life by when whoever renews it has failed to
	left := time.Until(c.NotAfter)
	if left < c.NotAfter.Sub(c.NotBefore)/last {
		d.bad("certificate", "renew it: the router reads the files of --tls-cert and --tls-key again by itself", "the router's expires in %v", left.Round(time.Minute))
		return
	}
	d.good("certificate", "the router's is good until %s", c.NotAfter.Local().Format(time.DateTime))
}

// asked is an answer over HTTP.
type asked struct {
	status       int
	body         string
	begun, ended time.Time
	date         time.Time // by the server's clock, in whole seconds; zero: it did not say
	certificate  *x509.Certificate
}

func ask(ctx context.Context, by http.RoundTripper, address string) (a asked, err error) {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return a, err
	}
	a.begun = time.Now()
	resp, err := by.RoundTrip(req)
	if err != nil {
		return a, err
	}
	defer func() { _ = resp.Body.Close() }() // nothing more is read
	a.ended, a.status = time.Now(), resp.StatusCode
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		a.date = date
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	a.body = string(body)
	if resp.TLS != nil {
		a.certificate = resp.TLS.PeerCertificates[0]
	}
	if a.status == http.StatusBadRequest && strings.Contains(a.body, plainToTLS) {
		err = errors.New(plainToTLS)
	}
	return a, err
}

// clock compares the router's clock with ours. Its second began at most a second
// before it was asked.
func (d *doctor) clock(a asked) {
	if a.date.IsZero() {
		return
	}
	switch behind, ahead := a.begun.Sub(a.date)-time.Second, a.date.Sub(a.ended); {
	case behind > mostSkew:
		d.bad("clock", "set the clocks, by NTP for example", "the router's is behind this one by %v", behind.Round(time.Second))
	case ahead > mostSkew:
		d.bad("clock", "set the clocks, by NTP for example", "the router's is ahead of this one by %v", ahead.Round(time.Second))
	default:
		d.good("clock", "the router's agrees with this one within %v", mostSkew)
	}
}

// portError says in a few words why a port did not answer.
func portError(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		return op.Err.Error()
	}
	return err.Error()
}

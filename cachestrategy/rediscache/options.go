package rediscache

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/holdfast-flags/holdfast/internal/redact"
)

// Options change how a Cache works. The zero value is for production.
type Options struct {
	// Prefix begins every key. Default "holdfast", or what the URL says.
	Prefix string
	// Timeout bounds the first answer of a call, connecting included. It is what a
	// breaker should count. Default 100 ms, or what the URL says.
	Timeout time.Duration
	// BulkTimeout bounds moving a whole set, once Redis has answered. Default 5 s.
	BulkTimeout time.Duration
	// Hard is the time after its last write from which Redis drops an entry, expired
	// or not. The version is remembered for twice as long. Default 24 h.
	Hard time.Duration
	// PoolSize is the number of connections at most. Default 4.
	PoolSize int
	// ReadOnly makes the cache refuse every Put, Invalidate and Lease before it reaches
	// Redis. The URL's access=read does the same.
	ReadOnly bool
	// TLS is for connections of rediss: URLs. Default: the host's name and the
	// system's roots.
	TLS *tls.Config
	// Dial replaces the way to the server. Nil: TCP, under TLS for rediss: URLs.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)

	script *redis.Script // twin tests: one with a guard switched off
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	d.Prefix = cmp.Or(d.Prefix, "holdfast")
	d.Timeout = cmp.Or(max(d.Timeout, 0), 100*time.Millisecond)
	d.BulkTimeout = cmp.Or(max(d.BulkTimeout, 0), 5*time.Second)
	d.Hard = cmp.Or(max(d.Hard, 0), 24*time.Hour)
	d.PoolSize = cmp.Or(max(d.PoolSize, 0), 4)
	if d.script == nil {
		d.script = putScript
	}
	return d
}

// target is what a URL says, apart from options.
type target struct {
	addr               string
	username, password string
	db                 int
	tls                bool
}

// parseURL reads the URL into a target and into those options that it has a say in.
// No error repeats the password.
func parseURL(rawURL string, o *Options) (target, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return target{}, fmt.Errorf("rediscache: malformed URL: %w", redact.Error(err, rawURL))
	}
	bad := func(format string, args ...any) (target, error) {
		return target{}, fmt.Errorf("rediscache: %s: %s", redact.URL(rawURL), fmt.Sprintf(format, args...))
	}
	if u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" || u.Fragment != "" {
		return bad("want redis://[user:password@]host[:port][/db][?prefix=P&timeout=100ms&access=read], or rediss: for TLS")
	}
	t := target{
		addr: net.JoinHostPort(cmp.Or(u.Hostname(), "localhost"), cmp.Or(u.Port(), "6379")),
		tls:  u.Scheme == "rediss", username: u.User.Username(),
	}
	t.password, _ = u.User.Password()
	if db := strings.Trim(u.Path, "/"); db != "" {
		if t.db, err = strconv.Atoi(db); err != nil || t.db < 0 {
			return bad("database %q: want a number", db)
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return bad("%v", err)
	}
	for key, values := range query {
		switch {
		case len(values) > 1:
			return bad("%s is given %d times", key, len(values))
		case key == "prefix":
			o.Prefix = cmp.Or(o.Prefix, values[0])
		case key == "timeout":
			d, err := time.ParseDuration(values[0])
			if err != nil || d <= 0 {
				return bad("timeout %q: want a duration above 0, such as 100ms", values[0])
			}
			o.Timeout = cmp.Or(o.Timeout, d)
		case key == "access" && (values[0] == "read" || values[0] == "write"):
			o.ReadOnly = o.ReadOnly || values[0] == "read"
		case key == "access":
			return bad("access %q: want read or write", values[0])
		default:
			return bad("unknown parameter %q: want prefix, timeout or access", key)
		}
	}
	if strings.ContainsAny(o.Prefix, "{}") || len(o.Prefix) > 128 {
		return bad("prefix %q: at most 128 characters without braces, which mark the hash slot", o.Prefix)
	}
	return t, nil
}

// clientOptions are the settings of the driver. It must not retry, queue for
// long, or outlive its context: whoever calls has other layers to ask.
func clientOptions(t target, o *Options) *redis.Options {
	c := &redis.Options{
		Addr: t.addr, Username: t.username, Password: t.password, DB: t.db,
		Protocol: 3, MaxRetries: -1,
		DialTimeout: o.Timeout, DialerRetries: 1,
		ReadTimeout: o.Timeout, WriteTimeout: o.Timeout,
		PoolSize: o.PoolSize, PoolTimeout: o.Timeout, ContextTimeoutEnabled: true,
		PipelinePoolSize:         -1,
		DisableIdentity:          true, // CLIENT SETINFO would need one more permission
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		Dialer:                   o.Dial,
	}
	if t.tls {
		c.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
		if o.TLS != nil {
			c.TLSConfig = o.TLS.Clone()
		}
		if host, _, err := net.SplitHostPort(t.addr); err == nil && c.TLSConfig.ServerName == "" {
			c.TLSConfig.ServerName = host
		}
	}
	return c
}

package mongostore

import (
	"cmp"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/event"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/redact"
)

// Options configure a Store. The zero value is ready for production.
type Options struct {
	// Database to use where the URI names none. Default "holdfast".
	Database string

	// ReadOnly makes the store refuse all writes before they reach the server:
	// not even a head that lags behind is raised. For clients.
	ReadOnly bool

	// HeadTimeout bounds the first answer of a call: the head, or a small write.
	// Default 1 s.
	HeadTimeout time.Duration
	// BulkTimeout bounds what follows the head, and large writes. Default 30 s.
	BulkTimeout time.Duration

	// PollInterval is how often a watch asks for the head, give or take a fifth.
	// Writes through this store are noticed at once. Default 1 s.
	PollInterval time.Duration

	// KeepCommits and KeepFor say which history is kept: commits are forgotten
	// only once they are neither among the newest KeepCommits of their set nor
	// younger than KeepFor. Defaults 10,000 and 24 h.
	KeepCommits int
	KeepFor     time.Duration
	// Hold returns the version of a set from which on somebody (a mirror, a webhook)
	// still needs the commits; they are kept until they are HoldFor old. The zero
	// version holds nothing back; after an error nothing is forgotten. Called from a
	// goroutine of the store. Default: holds nothing.
	Hold func(ctx context.Context, set string) (flags.Version, error)
	// HoldFor is the age from which on Hold does not keep a commit. Default 7 days.
	HoldFor time.Duration

	// MaxPoolSize is the number of connections to each server. Default 4.
	MaxPoolSize int

	// Logger for what has no caller to be returned to. Default slog.Default().
	Logger *slog.Logger

	monitor *event.CommandMonitor // of tests
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	out.Database = cmp.Or(out.Database, "holdfast")
	out.HeadTimeout = cmp.Or(out.HeadTimeout, time.Second)
	out.BulkTimeout = cmp.Or(out.BulkTimeout, 30*time.Second)
	out.PollInterval = cmp.Or(out.PollInterval, time.Second)
	out.KeepCommits = cmp.Or(out.KeepCommits, 10_000)
	out.KeepFor = cmp.Or(out.KeepFor, 24*time.Hour)
	out.HoldFor = cmp.Or(out.HoldFor, 7*24*time.Hour)
	if out.Hold == nil {
		out.Hold = func(context.Context, string) (flags.Version, error) { return flags.Version{}, nil }
	}
	out.MaxPoolSize = cmp.Or(out.MaxPoolSize, 4)
	if out.Logger == nil {
		out.Logger = slog.Default()
	}
	return out
}

// clientOptions are those of the driver. The URI is applied first, so that it
// decides about servers, credentials and TLS, and nothing else.
func (o *Options) clientOptions(uri string) *options.ClientOptions {
	c := options.Client().ApplyURI(uri)
	c.SetAppName("holdfast")
	c.SetMonitor(o.monitor)
	// The driver does not fail fast on a dead server: even a refused connection
	// waits for the selection timeout, 30 s by default. Ours ends before the budget of the
	// call, so that the error says what is wrong with the servers and not only that time was up.
	c.SetServerSelectionTimeout(min(o.HeadTimeout, time.Second) / 10 * 9)
	c.SetConnectTimeout(500 * time.Millisecond)
	c.SetMaxPoolSize(uint64(o.MaxPoolSize))
	c.SetRetryReads(true)
	c.SetRetryWrites(false) // our writes can be repeated as they are
	c.SetCompressors(nil)   // what is large is compressed already
	c.SetReadPreference(readpref.PrimaryPreferred())
	c.SetReadConcern(readconcern.Majority())
	c.SetWriteConcern(writeconcern.Majority())
	return c
}

// Redact returns uri as it may be logged: without credentials and parameters.
func Redact(uri string) string {
	if !strings.Contains(uri, "://") {
		return "(not a URI)"
	}
	return redact.URL(uri)
}

// databaseIn returns the database that uri names, or "".
func databaseIn(uri string) string {
	_, rest, _ := strings.Cut(Redact(uri), "://")
	_, name, _ := strings.Cut(rest, "/")
	if plain, err := url.PathUnescape(name); err == nil {
		return plain
	}
	return name
}

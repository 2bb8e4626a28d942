// Package session carries the revision tokens of a session from service to service
// as text: what the net/http and gRPC interceptors have in common.
package session

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Header is the name under which tokens travel. gRPC metadata has it in lower case.
const Header = "Holdfast-Revision"

// The limits of what is taken from others, and of what is sent.
const (
	MaxBytes = 4096 // of all values together
	MaxSets  = 16   // tokens; a session demands one of each set
)

// logEvery bounds how often a log can be written to by what others send.
const logEvery = 10 * time.Second

// Carrier reads and writes headers and keeps count of what it had to ignore. It is
// safe for concurrent use.
type Carrier struct {
	Logger  *slog.Logger       // default slog.Default()
	Ignored func(reason error) // told of everything that is ignored; may be nil

	mu      sync.Mutex
	ignored uint64
	logged  time.Time
}

// Begin returns a context in a session that has seen what the values name.
func (c *Carrier) Begin(ctx context.Context, values []string) context.Context {
	ctx = flags.WithSession(ctx)
	c.Learn(ctx, values)
	return ctx
}

// Learn takes what another service was answered from into the session of ctx.
func (c *Carrier) Learn(ctx context.Context, values []string) {
	flags.Saw(ctx, c.parse(ctx, values)...)
}

// Request returns the value to send to the next service, "" for none: what the reads of ctx
// must not fall behind.
func (c *Carrier) Request(ctx context.Context) string { return c.format(ctx, flags.Demands(ctx)) }

// Response returns the value to send back, "" for none: what the session of ctx has seen.
func (c *Carrier) Response(ctx context.Context) string {
	return c.format(ctx, flags.SessionTokens(ctx))
}

// format lists tokens, within the limits of who reads them.
func (c *Carrier) format(ctx context.Context, tokens []flags.Token) string {
	var list []byte
	for i, t := range tokens {
		text := t.String()
		if i == MaxSets || len(list)+1+len(text) > MaxBytes {
			c.ignore(ctx, fmt.Errorf("%w: a session of %d tokens, %d are sent", flags.ErrTooLarge, len(tokens), i))
			break
		}
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, text...)
	}
	return string(list)
}

// parse returns the tokens of a list, and counts what is none.
func (c *Carrier) parse(ctx context.Context, values []string) []flags.Token {
	size := 0
	for _, v := range values {
		size += len(v)
	}
	if size > MaxBytes {
		c.ignore(ctx, fmt.Errorf("%w: %d bytes of tokens, at most %d are read", flags.ErrTooLarge, size, MaxBytes))
		return nil
	}
	var tokens []flags.Token
	for _, v := range values {
		for text := range strings.SplitSeq(v, ",") {
			if text = strings.Trim(text, " \t"); text == "" {
				continue
			}
			t, err := flags.ParseToken(text)
			switch {
			case err != nil:
				c.ignore(ctx, err)
			case len(tokens) == MaxSets:
				c.ignore(ctx, fmt.Errorf("%w: more than %d tokens", flags.ErrTooLarge, MaxSets))
				return tokens
			default:
				tokens = append(tokens, t)
			}
		}
	}
	return tokens
}

// ignore counts what is ignored and logs it now and then: whoever sends garbage must
// not be able to fill a disk with it.
func (c *Carrier) ignore(ctx context.Context, reason error) {
	if c.Ignored != nil {
		c.Ignored(reason)
	}
	c.mu.Lock()
	c.ignored++
	total, now := c.ignored, time.Now()
	quiet := !c.logged.IsZero() && now.Sub(c.logged) < logEvery
	if !quiet {
		c.logged = now
	}
	c.mu.Unlock()
	if quiet {
		return
	}
	logger := c.Logger
	if logger == nil {
		logger = slog.Default()
	}
	text := reason.Error()
	logger.WarnContext(ctx, "ignored a "+Header, "reason", text[:min(len(text), 200)], "ignored", total)
}

package rig

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// The two flags that every commit changes together.
const (
	left  = "left"
	right = "right"
)

// Report counts what answers were, and what they may never be.
type Report struct {
	Reads    int
	Defaults int           // before there was any set; the caller's fallback was returned
	Slowest  time.Duration // a read, in virtual time
	Waited   time.Duration // the longest read that carried a token
	NotFresh int           // of those, told that they could not be had

	Failed       int // no value though a set was held before
	Backwards    int // an older version than one read before, by the same client
	Torn         int // two flags of one commit, apart
	Wrong        int // a value that was never committed at the version it was said to be of
	Unread       int // a write was not seen by a read that carried its token, and that was not said
	Unclassified int // an error of a layer that its driver had no class for
	Goroutines   int // left over 2 s after Close

	notes []string
}

// Violations counts everything that may never be.
func (r Report) Violations() int {
	return r.Failed + r.Backwards + r.Torn + r.Wrong + r.Unread + r.Unclassified + r.Goroutines
}

func (r *Report) note(format string, args ...any) {
	if len(r.notes) < 5 {
		r.notes = append(r.notes, fmt.Sprintf(format, args...))
	}
}

func (r *Report) fail(tb testing.TB) {
	tb.Helper()
	if r.Violations() > 0 {
		tb.Errorf("%d failed reads, %d backwards, %d torn, %d wrong, %d writes unread, %d unclassified errors, %d goroutines left, of %d reads: %q",
			r.Failed, r.Backwards, r.Torn, r.Wrong, r.Unread, r.Unclassified, r.Goroutines, r.Reads, r.notes)
	}
	if r.Slowest > 0 {
		tb.Errorf("a read took %v", r.Slowest)
	}
}

func classified(err error) bool {
	var se *flags.SourceError
	return errors.As(err, &se)
}

var anyone = flags.Entity("anyone")

// read reads until ctx ends.
func (c *Client) read(ctx context.Context) {
	every := time.NewTicker(c.opts.Pace)
	defer every.Stop()
	var newest flags.Token
	for {
		newest = c.readOnce(newest)
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// readOnce reads both flags from one view and judges, given the newest token that was read before.
func (c *Client) readOnce(newest flags.Token) flags.Token {
	began := time.Now()
	v := c.View(context.Background())
	l, r := v.IntDetails(left, anyone, -1), v.IntDetails(right, anyone, -1)
	took, token := time.Since(began), v.Token()
	want, known := c.house.value(token.Version)
	c.mu.Lock()
	defer c.mu.Unlock()
	rep := &c.report
	rep.Reads++
	rep.Slowest = max(rep.Slowest, took)
	if token.IsZero() && newest.IsZero() {
		rep.Defaults++
		return newest
	}
	switch {
	case l.ErrorCode != flags.ErrorNone || r.ErrorCode != flags.ErrorNone:
		rep.Failed++
		rep.note("failed at %v: %v %v", token, l.ErrorCode, r.ErrorCode)
	case l.Value != r.Value:
		rep.Torn++
		rep.note("torn at %v: %d and %d", token, l.Value, r.Value)
	case !known || l.Value != want:
		rep.Wrong++
		rep.note("wrong at %v: %d, committed was %d", token, l.Value, want)
	}
	if token.Before(newest.Version) {
		rep.Backwards++
		rep.note("backwards from %v to %v", newest, token)
		return newest
	}
	return token
}

// readOwn reads each new commit with its token, as the session of the writer would.
func (c *Client) readOwn(ctx context.Context) {
	every := time.NewTicker(c.opts.Pace)
	defer every.Stop()
	var seen flags.Token
	for {
		if token := c.house.Newest(); token != seen {
			c.ReadOwn(ctx, token)
			seen = token
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// ReadOwn reads with a token, and judges: the answer is as new, or says that it is not. It reports which.
func (c *Client) ReadOwn(ctx context.Context, token flags.Token) bool {
	began := time.Now()
	v := c.View(flags.AtLeast(ctx, token))
	took := time.Since(began)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.report.Waited = max(c.report.Waited, took)
	if v.Freshness() == flags.FreshnessNotFresh {
		c.report.NotFresh++
		return false
	}
	if v.Token().Before(token.Version) {
		c.report.Unread++
		c.report.note("asked for %v, got %v as %v", token, v.Token(), v.Freshness())
	}
	return true
}

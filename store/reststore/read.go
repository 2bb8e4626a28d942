package reststore

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// The most that an answer in JSON may have, in bytes.
const (
	maxHead = 64 << 10
	maxSets = 32 << 20
)

// Head is flags.Source's.
func (s *Store) Head(ctx context.Context, set string) (flags.Head, error) {
	head, _, err := s.HeadAsOf(ctx, set)
	return head, err
}

// HeadAsOf is flags.DatedSource's: a relay that is cut off answers from what it holds.
func (s *Store) HeadAsOf(ctx context.Context, set string) (flags.Head, time.Time, error) {
	op, asked := "reststore: head "+set, time.Now()
	call, release := s.call(ctx)
	defer release()
	var m restwire.Head
	header, err := s.getJSON(call, request{path: []string{set, "head"}}, maxHead, &m)
	if err == nil {
		var head flags.Head
		if head, err = answered(set, &m); err == nil {
			return head, asked.Add(-age(header)), nil
		}
	}
	return flags.Head{}, asked, s.classify(ctx, call, op, err)
}

// answered checks that a head is of the set that was asked for.
func answered(set string, m *restwire.Head) (flags.Head, error) {
	head, err := m.ToHead()
	if err == nil && (head.Set != set || head.Version.IsZero()) {
		err = fmt.Errorf("%w: asked for set %q, got %s", flags.ErrFormat, set, head.Token())
	}
	return head, err
}

// getJSON reads an answer of at most so many bytes.
func (s *Store) getJSON(call context.Context, r request, most int64, into any) (http.Header, error) {
	if len(r.path) > 0 && flags.CheckSetName(r.path[0]) != nil {
		return nil, errNoSuchName
	}
	r.accept = "application/json"
	resp, err := s.do(call, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case err != nil:
		return nil, err
	case int64(len(body)) > most:
		return nil, fmt.Errorf("%w: an answer of more than %d bytes", flags.ErrTooLarge, most)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, fmt.Errorf("%w: %w", flags.ErrFormat, err)
	}
	return resp.Header, nil
}

// errNoSuchName is the answer for names that no set can have; asked of a router,
// they would lead past the API.
var errNoSuchName = &statusError{status: http.StatusNotFound, kind: restwire.Kind{Err: store.ErrNotFound}}

// getParts reads an answer in frames, giving it the time of bulk once it has begun.
func (s *Store) getParts(call *remote.Deadline, r request) (*restwire.Received, http.Header, error) {
	if flags.CheckSetName(r.path[0]) != nil {
		return nil, nil, errNoSuchName
	}
	r.accept = restwire.FramesType
	resp, err := s.do(call, r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	begun := false
	got, err := restwire.ReadParts(resp.Body, func(*restwire.Received) {
		if !begun {
			begun = true
			call.Extend(s.opts.BulkTimeout, errBulkBudget)
		}
	})
	return got, resp.Header, err
}

// Fetch is flags.Source's.
func (s *Store) Fetch(ctx context.Context, set string, have flags.Head) (flags.Update, error) {
	u, _, err := s.fetch(ctx, "reststore: fetch "+set, set, have, flags.Token{})
	return u, err
}

// fetch is Fetch, of a revision or newer, with the size of what came.
func (s *Store) fetch(ctx context.Context, op, set string, have flags.Head, atLeast flags.Token) (flags.Update, int, error) {
	call, release := s.call(ctx)
	defer release()
	r := request{path: []string{set, "snapshot"}, query: after(have)}
	if !atLeast.Version.IsZero() {
		r.header = map[string]string{restwire.RevisionHeader: atLeast.String()}
	}
	asked := time.Now()
	got, header, err := s.getParts(call, r)
	if err != nil {
		return flags.Update{}, 0, s.classify(ctx, call, op, err)
	}
	u := flags.Update{Head: got.Head, Checkpoint: got.Checkpoint, Commits: got.Commits, AsOf: asked.Add(-age(header))}
	if err = remote.Complete(&u, have); err == nil && u.Head.Set != set {
		err = fmt.Errorf("%w: asked for set %q, got %s", flags.ErrFormat, set, u.Head.Token())
	}
	if err != nil {
		return flags.Update{}, 0, s.classify(ctx, call, op, err)
	}
	return u, got.Bytes, nil
}

// after says where the caller is.
func after(have flags.Head) url.Values {
	if have.Version.IsZero() {
		return url.Values{}
	}
	return url.Values{"after": {have.Token().String()}, "digest": {have.Digest.String()}}
}

func age(h http.Header) time.Duration {
	us, _ := strconv.ParseUint(h.Get(restwire.AgeHeader), 10, 63) // left out: 0
	return microseconds(us)
}

// microseconds is at most a year, which is more than anybody means.
func microseconds(us uint64) time.Duration {
	const most = 365 * 24 * time.Hour
	return time.Duration(min(us, uint64(most/time.Microsecond))) * time.Microsecond
}

// Sets is store.History's.
func (s *Store) Sets(ctx context.Context) ([]flags.Head, error) {
	call, release := s.call(ctx)
	defer release()
	var m struct {
		Sets []restwire.Head `json:"sets"`
	}
	if _, err := s.getJSON(call, request{}, maxSets, &m); err != nil {
		return nil, s.classify(ctx, call, "reststore: sets", err)
	}
	heads := make([]flags.Head, len(m.Sets))
	for i := range m.Sets {
		var err error
		if heads[i], err = m.Sets[i].ToHead(); err != nil {
			return nil, s.classify(ctx, call, "reststore: sets", err)
		}
	}
	return heads, nil
}

// mostCommits is what a router gives at a time.
const mostCommits = 10_000

// Commits is store.History's.
func (s *Store) Commits(ctx context.Context, set string, from, to flags.Version, limit int) ([]flags.Commit, error) {
	call, release := s.call(ctx)
	defer release()
	query := url.Values{"from": {from.String()}, "to": {to.String()}}
	if limit > 0 && limit < math.MaxInt32 {
		query.Set("limit", strconv.Itoa(min(limit, mostCommits)))
	}
	got, _, err := s.getParts(call, request{path: []string{set, "history"}, query: query})
	if err != nil {
		return nil, s.classify(ctx, call, "reststore: commits "+set, err)
	}
	return got.Commits, nil
}

package restapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

type historyQuery struct {
	from, to flags.Version
	limit    int
	filter   historyFilter
}

// historyFilter is which commits are wanted; what is empty wants all.
type historyFilter struct {
	key, entity, actor string
	since, until       time.Time
}

func (f historyFilter) wants(c *flags.Commit) bool {
	if f.actor != "" && c.Actor.ID != f.actor || !f.since.IsZero() && c.Time.Before(f.since) || !f.until.IsZero() && !c.Time.Before(f.until) {
		return false
	}
	return f.key+f.entity == "" || slices.ContainsFunc(c.Changes, func(m flags.Mutation) bool {
		return (f.key == "" || m.Key.Name == f.key) && (f.entity == "" || m.Key.Entity == f.entity)
	})
}

func filterOfHistory(q url.Values) (f historyFilter, err error) {
	f = historyFilter{key: q.Get("key"), entity: q.Get("entity"), actor: q.Get("actor")}
	for name, t := range map[string]*time.Time{"since": &f.since, "until": &f.until} {
		if text := q.Get(name); text != "" {
			if *t, err = time.Parse(time.RFC3339, text); err != nil {
				return f, invalid("%s %.40q; want a time such as 2027-01-31T12:00:00Z", name, text)
			}
		}
	}
	return f, nil
}

// Bounds of how many commits one request reads to find those it wants, and of how many
// bytes it finds: those are held until the answer is whole, and a commit may have 8 MiB.
const (
	mostLookedAt = 10_000
	historyBytes = 4 << 20
)

// commits returns the commits of a query, oldest first, and where to go on from.
func (s *Service) commits(ctx context.Context, head flags.Head, q historyQuery) (found []flags.Commit, next flags.Version, err error) {
	if q.filter == (historyFilter{}) {
		found, err = s.opts.Store.Commits(ctx, head.Set, q.from, q.to, q.limit)
		// A store may send fewer than it was asked for.
		if n := len(found); err == nil && n > 0 && found[n-1].Version.Before(q.to) {
			next = after(found[n-1].Version)
		}
		return found, next, err
	}
	from := q.from
	for looked, size := 0, 0; ; {
		commits, err := s.opts.Store.Commits(ctx, head.Set, from, q.to, 0)
		if err != nil || len(commits) == 0 {
			return found, flags.Version{}, err
		}
		for i := range commits {
			if q.filter.wants(&commits[i]) {
				found = append(found, commits[i])
				size += bytesOf(&commits[i])
			}
			looked++
			last := commits[i].Version
			if (len(found) == q.limit || looked >= mostLookedAt || size > historyBytes) && last.Before(q.to) {
				return found, after(last), nil
			}
		}
		from = after(commits[len(commits)-1].Version)
	}
}

func bytesOf(c *flags.Commit) (n int) {
	for i := range c.Changes {
		n += len(c.Changes[i].Bytes)
	}
	return n
}

// after is where to ask from for what comes after a commit: past the end of an epoch
// it is before the next one's first.
func after(v flags.Version) flags.Version {
	v.Revision++
	return v
}

func parseHistory(r *http.Request, head flags.Head, frames bool) (q historyQuery, err error) {
	values := r.URL.Query()
	if q.filter, err = filterOfHistory(values); err != nil {
		return q, err
	}
	most := mostCommits
	if frames {
		most = mostFrames // and 0: as many as the store likes
	} else {
		q.limit = usualLimit
	}
	if q.limit, err = limitOf(values.Get("limit"), q.limit, most); err != nil {
		return q, err
	}
	q.to = head.Version
	if q.filter == (historyFilter{}) { // else from the oldest that is kept
		q.from = flags.Version{Epoch: head.Epoch, Revision: 1}
		if back := uint64(q.limit); back > 0 && head.Revision > back {
			q.from.Revision = head.Revision - back + 1
		}
	}
	for name, v := range map[string]*flags.Version{"from": &q.from, "to": &q.to} {
		if text := values.Get(name); text != "" {
			p, err := parsePlace(text, "", head)
			if err != nil {
				return q, err
			}
			*v = p.Version
		}
	}
	if head.Version.Before(q.to) {
		q.to = head.Version
	}
	return q, nil
}

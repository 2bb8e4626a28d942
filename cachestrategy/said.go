package cachestrategy

import (
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
)

// said remembers what the metadata of each set say about its lifetime. Updates
// carry only what changed, and a set's metadata are mostly not among it.
type said struct {
	mu   sync.Mutex
	sets map[string]saying
}

type saying struct {
	head     flags.Head
	lifetime Lifetime
}

// of returns what the set says after an update. full is called only where neither
// the update nor what is remembered tells; its error is that it has nothing.
func (s *said) of(u *flags.Update, full func() *flags.Checkpoint) Lifetime {
	s.mu.Lock()
	known, ok := s.sets[u.Head.Set]
	s.mu.Unlock()
	switch {
	case u.Checkpoint != nil:
		known = sayingOf(u.Checkpoint)
	case !ok || !leadsOn(known.head, u):
		if full == nil {
			return known.lifetime
		}
		cp := full()
		if cp == nil {
			return known.lifetime
		}
		known = sayingOf(cp)
	}
	for i := range u.Commits {
		if c := &u.Commits[i]; known.head.Version.Before(c.Version) {
			known.apply(c)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sets == nil {
		s.sets = map[string]saying{}
	}
	s.sets[u.Head.Set] = known
	return known.lifetime
}

// leadsOn reports whether an update without a checkpoint leads on from h: all that
// changed since is in its commits.
func leadsOn(h flags.Head, u *flags.Update) bool {
	if h.Lineage != u.Head.Lineage {
		return false
	}
	for i := range u.Commits {
		if c := &u.Commits[i]; h.Version.Before(c.Version) {
			next, err := h.NextVersion(c.Op)
			return err == nil && next == c.Version
		}
	}
	return h.Version == u.Head.Version
}

func sayingOf(cp *flags.Checkpoint) saying {
	s := saying{head: cp.Head}
	for i := range cp.Entries {
		if e := &cp.Entries[i]; e.Key.Kind == flags.KindMetadata {
			s.note(e.Key.Name, e.Bytes)
		}
	}
	return s
}

func (s *saying) apply(c *flags.Commit) {
	s.head = c.Head()
	if c.Op == flags.OpCreate || c.Op == flags.OpDelete {
		s.lifetime = Lifetime{}
	}
	for _, m := range c.Changes {
		if m.Key.Kind == flags.KindMetadata {
			s.note(m.Key.Name, m.Bytes)
		}
	}
}

// note takes a metadata entry over; nil bytes: it was deleted. What cannot be read
// says nothing: it was refused when it was written, or is of a later version.
func (s *saying) note(name string, data []byte) {
	v, err := flags.ParseValue(data)
	if err != nil {
		v = flags.Value{}
	}
	switch name {
	case flags.MetadataCacheTTL:
		s.lifetime.TTL, _ = flags.ParseCacheTTL(v)
	case flags.MetadataCacheMargin:
		s.lifetime.Part, s.lifetime.Margin, _ = flags.ParseCacheMargin(v)
	}
}

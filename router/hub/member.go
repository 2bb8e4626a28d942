package hub

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Identity is who a client says it is.
type Identity struct {
	Name     string // of the application
	Language string
	Version  string // of the SDK
	Instance string // of the process
}

// Client is a client that follows a set now.
type Client struct {
	ID        uint64
	Set       string
	Identity  Identity
	Address   string
	Principal string
	Connected time.Time
	Applied   flags.Ack // zero Head: it has not said yet
	Lag       uint64    // revisions from what it applied to the set's head
}

// Member is the place of one client among those of a set.
type Member struct {
	set *Set

	mu     sync.Mutex
	client Client
}

// Bounds of what is kept of a client's word about itself.
const (
	mostLayers = 16
	mostText   = 256 // bytes
)

// Join registers a client; its ID, Set and Connected are filled in.
func (s *Set) Join(c Client) *Member {
	for _, text := range []*string{&c.Identity.Name, &c.Identity.Language, &c.Identity.Version, &c.Identity.Instance} {
		*text = clip(*text)
	}
	c.ID, c.Set, c.Connected = s.hub.nextID.Add(1), s.name, time.Now()
	m := &Member{set: s, client: c}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[c.ID] = m
	s.move()
	return m
}

// Set returns the set that the client follows.
func (m *Member) Set() *Set { return m.set }

// Leave removes the client.
func (m *Member) Leave() {
	m.set.mu.Lock()
	defer m.set.mu.Unlock()
	delete(m.set.members, m.client.ID)
	m.set.move()
}

// Applied notes what the client answers from.
func (m *Member) Applied(ack flags.Ack) {
	layers := make(map[string]string, min(len(ack.Layers), mostLayers))
	for _, name := range slices.Sorted(maps.Keys(ack.Layers)) {
		if len(layers) == mostLayers {
			break
		}
		layers[clip(name)] = clip(ack.Layers[name])
	}
	ack.Layers = layers
	m.mu.Lock()
	m.client.Applied = ack
	m.mu.Unlock()
	m.set.move()
}

func (m *Member) appliedHead() flags.Head {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.client.Applied.Head
}

func (m *Member) snapshot(head flags.Head) Client {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.client
	c.Lag = Lag(c.Applied.Head.Version, head.Version)
	return c
}

// Lag counts the revisions from one version to a newer one. Across epochs it is
// the revisions of the newer one, the least that is missing.
func Lag(from, to flags.Version) uint64 {
	switch {
	case !from.Before(to):
		return 0
	case from.Epoch != to.Epoch:
		return to.Revision
	default:
		return to.Revision - from.Revision
	}
}

// Clients returns the clients that follow the set now, in the order they came.
func (s *Set) Clients() []Client {
	head := s.Head()
	s.mu.Lock()
	members := make([]*Member, 0, len(s.members))
	for _, m := range s.members {
		members = append(members, m)
	}
	s.mu.Unlock()
	out := make([]Client, 0, len(members))
	for _, m := range members {
		out = append(out, m.snapshot(head))
	}
	slices.SortFunc(out, func(a, b Client) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// Count returns how many clients follow the set now.
func (s *Set) Count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.members)
}

// clip copies, so that the rest is not held on to.
func clip(text string) string {
	return strings.ToValidUTF8(strings.Clone(text[:min(len(text), mostText)]), "")
}

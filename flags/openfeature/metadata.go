package openfeature

import (
	"context"
	"hash/maphash"
	"maps"
	"sync/atomic"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

// What is in the FlagMetadata of every answer besides what the set and the flag say.
const (
	MetadataRevision  = "holdfastRevision" // the token of the set that the answer is from, such as "default@0.57~k7q2m9pa"
	MetadataFreshness = "freshness"        // "stale" or "not fresh"; not there where the answer is fresh
)

// metadataCache has what the answers of one snapshot say about themselves, flag by flag. A flag has one slot, which
// it may have to share with others: then the last one read is in it. So the cache is bounded, needs no lock, and is
// dropped whole with the snapshot.
type metadataCache struct {
	snap  *flags.Snapshot
	slots [512]metadataSlot
}

// metadataSlot holds one flag; nil stands for a snapshot that is not cached.
type metadataSlot struct{ p atomic.Pointer[known] }

// known is what was learnt about a flag of a snapshot. It is never changed.
type known struct {
	key       string
	freshness flags.Freshness
	static    bool // every context gets the same answer, so none need be looked at
	metadata  of.FlagMetadata
}

var seed = maphash.MakeSeed()

// slot returns the place of a flag, or nil where snap is not the newest: that is a pinned one,
// which is read a few times and gone.
func (p *Provider) slot(snap *flags.Snapshot, key string) *metadataSlot {
	c := p.metadata.Load()
	if c == nil || c.snap != snap {
		if snap == nil || snap != p.client.View(context.Background()).Snapshot() {
			return nil
		}
		c = &metadataCache{snap: snap}
		p.metadata.Store(c)
	}
	return &c.slots[maphash.String(seed, key)%uint64(len(c.slots))]
}

// of returns what is known about a flag, or nil.
func (s *metadataSlot) of(key string) *known {
	if s == nil {
		return nil
	}
	if k := s.p.Load(); k != nil && k.key == key {
		return k
	}
	return nil
}

// describe returns the metadata of an answer, which are made when they are first asked for.
func describe[T any](p *Provider, slot *metadataSlot, k *known, key string, d *flags.Details[T]) of.FlagMetadata {
	if k == nil || k.freshness != d.Freshness {
		k = &known{key: key, freshness: d.Freshness, static: d.Reason == flags.ReasonStatic, metadata: metadataOf(d)}
		if slot == nil {
			return k.metadata
		}
		slot.p.Store(k)
	}
	if p.sharing.allowed() {
		return k.metadata
	}
	return maps.Clone(k.metadata)
}

// metadataOf returns the metadata of an answer, freshly made.
func metadataOf[T any](d *flags.Details[T]) of.FlagMetadata {
	own := d.Metadata()
	m := make(of.FlagMetadata, own.Len()+2)
	for name, v := range own.Members() {
		m[name] = v.Any()
	}
	if t := d.Token(); t != (flags.Token{}) {
		m[MetadataRevision] = t.String()
	}
	switch d.Freshness {
	case flags.FreshnessStale:
		m[MetadataFreshness] = "stale"
	case flags.FreshnessNotFresh:
		m[MetadataFreshness] = "not fresh"
	}
	return m
}

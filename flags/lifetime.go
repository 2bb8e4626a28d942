package flags

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"
)

// Keys of a set's metadata that say how long its copies are good for. They are
// checked when they are written.
const (
	MetadataCacheTTL    = "cacheTTL"    // "300s", or a number of seconds: 1 s to 24 h
	MetadataCacheMargin = "cacheMargin" // "30s", or a part of the TTL: 0.1 or "10%"
)

// Bounds of a lifetime in metadata. What lives shorter would be asked for all the
// time; what lives longer is dropped by caches all the same.
const (
	minCacheTTL = time.Second
	maxCacheTTL = 24 * time.Hour
)

// ParseCacheTTL reads the value of MetadataCacheTTL. The error wraps ErrInvalid.
func ParseCacheTTL(v Value) (time.Duration, error) {
	ttl := durationOf(v, maxCacheTTL)
	if ttl < minCacheTTL || ttl > maxCacheTTL {
		return 0, fmt.Errorf("%w %s %s: want %v to %v, such as \"300s\"", ErrInvalid, MetadataCacheTTL, v, minCacheTTL, maxCacheTTL)
	}
	return ttl, nil
}

// durationOf reads "300s", or a number of seconds of at most most: a larger one might
// not fit. What is neither is 0, which no bound is.
func durationOf(v Value, most time.Duration) time.Duration {
	var d time.Duration
	switch v.Kind() {
	case ValueNumber:
		if s := v.Float(); s >= 0 && s <= most.Seconds() {
			d = time.Duration(s * float64(time.Second))
		}
	case ValueString:
		d, _ = time.ParseDuration(v.Str())
	default:
	}
	return d
}

// ParseCacheMargin reads the value of MetadataCacheMargin: a part of the TTL, or a
// duration; the other is zero. The error wraps ErrInvalid.
func ParseCacheMargin(v Value) (part float64, margin time.Duration, err error) {
	switch v.Kind() {
	case ValueNumber:
		part = v.Float()
	case ValueString:
		return ParseMargin(v.Str())
	default:
	}
	if part > 0 && part < 1 {
		return part, 0, nil
	}
	return 0, 0, fmt.Errorf("%w %s %s: want a part of the TTL such as 0.1 or \"10%%\", or a duration such as \"30s\"", ErrInvalid, MetadataCacheMargin, v)
}

// ParseMargin reads the text of a margin: a part such as 0.1 or 10%, or a duration
// such as 30s. The error wraps ErrInvalid.
func ParseMargin(text string) (part float64, margin time.Duration, err error) {
	number, percent := strings.CutSuffix(text, "%")
	if part, err = strconv.ParseFloat(number, 64); err == nil {
		if percent {
			part /= 100
		}
		if part > 0 && part < 1 {
			return part, 0, nil
		}
	} else if margin, err = time.ParseDuration(text); err == nil && margin > 0 {
		return 0, margin, nil
	}
	return 0, 0, fmt.Errorf("%w margin %q: want a part of the TTL such as 0.1 or 10%%, or a duration such as 30s", ErrInvalid, text)
}

// CacheLifetime returns what the set's metadata say about how long its copies are
// good for: zero what they do not say, or do not say rightly.
func (s *Snapshot) CacheLifetime() (ttl time.Duration, part float64, margin time.Duration) {
	if v, ok := s.Metadata().Get(MetadataCacheTTL); ok {
		ttl, _ = ParseCacheTTL(v)
	}
	if v, ok := s.Metadata().Get(MetadataCacheMargin); ok {
		part, margin, _ = ParseCacheMargin(v)
	}
	return ttl, part, margin
}

// softTTL is when a copy of this lifetime is to be renewed: at 80 % of it, sooner
// where its margin begins before; spread over +-10 %, so that processes that wrote
// together do not renew together.
func softTTL(ttl, margin time.Duration) time.Duration {
	at := min(ttl/5*4, (ttl-margin)/10*9)
	return at - at/10 + rand.N(at/5+1) //nolint:gosec // spreads load, guards nothing
}

// lifetime checks what a change makes of the two entries that say how long copies
// of the set are good for: alone, and together with the other one.
func (ch *checker) lifetime(it item) {
	valueAt := func(name string) (v Value, is bool) {
		n := ch.at(EntryKey{Kind: KindMetadata, Name: name})
		if n == nil {
			return v, false
		}
		v, err := ParseValue(n.canonical())
		return v, err == nil
	}
	var errTTL, errMargin error
	var ttl, margin time.Duration
	if v, is := valueAt(MetadataCacheTTL); is {
		ttl, errTTL = ParseCacheTTL(v)
	}
	if v, is := valueAt(MetadataCacheMargin); is {
		_, margin, errMargin = ParseCacheMargin(v)
	}
	switch {
	case it.key.Name == MetadataCacheTTL && errTTL != nil:
		ch.fail(it, it.node, it.path, "%v", errTTL)
	case it.key.Name == MetadataCacheMargin && errMargin != nil:
		ch.fail(it, it.node, it.path, "%v", errMargin)
	case ttl > 0 && margin >= ttl:
		ch.fail(it, it.node, it.path, "a %s of %v leaves nothing of a %s of %v", MetadataCacheMargin, margin, MetadataCacheTTL, ttl)
	}
}

// freshFor is the age from which answers from a snapshot are reported stale.
func (o *Options) freshFor(s *Snapshot) time.Duration {
	if o.Lifetime == nil {
		return o.FreshFor
	}
	ttl, margin := o.Lifetime(s)
	return ttl - margin
}

// renewAfter is how long after a put the cache's entry of a snapshot is renewed.
func (o *Options) renewAfter(s *Snapshot) time.Duration {
	ttl, margin := o.Cache.TTL, o.Cache.TTL-o.FreshFor
	if o.Lifetime != nil && s != nil {
		ttl, margin = o.Lifetime(s)
	}
	return softTTL(ttl, max(margin, 0))
}

// leastRenewal bounds how often a cache is written to without news.
const leastRenewal = 100 * time.Millisecond

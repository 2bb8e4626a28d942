package restapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

const (
	readLimit  = 10 * time.Second       // for the store, whatever the client's patience
	reachLimit = 250 * time.Millisecond // for a revision that the client knows of and the store does not yet
)

// at returns where the set of a request is, at least at the revision that the
// request demands, and states it in the answer. The store is asked, not the hub:
// another router may have taken the write that the client has in mind.
func (s *Service) at(ctx context.Context, w http.ResponseWriter, r *http.Request) (flags.Head, error) {
	set := r.PathValue("set")
	if err := s.allowed(r); err != nil {
		return flags.Head{}, err
	}
	want, err := demanded(r.Header.Get(restwire.RevisionHeader), set)
	if err != nil {
		return flags.Head{}, err
	}
	asked := time.Now()
	head, asOf, err := flags.HeadAsOf(ctx, s.opts.Store, set)
	if err != nil {
		return flags.Head{}, err
	}
	if behind(head, want) {
		s.waitFor(ctx, want)
		if head, asOf, err = flags.HeadAsOf(ctx, s.opts.Store, set); err != nil {
			return flags.Head{}, err
		}
	}
	if asOf.Before(asked) { // the store could not ask its own origin
		w.Header().Set(restwire.AgeHeader, strconv.FormatInt(max(time.Since(asOf).Microseconds(), 1), 10))
	}
	w.Header().Set(restwire.RevisionHeader, head.Token().String())
	return head, meets(head, want)
}

// demanded reads the token of a request; none is the zero token.
func demanded(header, set string) (flags.Token, error) {
	if header == "" {
		return flags.Token{}, nil
	}
	token, err := flags.ParseToken(header)
	if err == nil && token.Set != set {
		err = invalid("%s of set %q, asked of set %q", restwire.RevisionHeader, token.Set, set)
	}
	return token, err
}

// behind reports whether waiting may help.
func behind(head flags.Head, want flags.Token) bool {
	return sameHistory(head, want) && head.Version.Before(want.Version)
}

func sameHistory(head flags.Head, want flags.Token) bool {
	return want.Lineage == "" || want.Lineage == head.Lineage
}

// meets returns nil where head is at the demanded revision or past it.
func meets(head flags.Head, want flags.Token) error {
	kind := restwire.NotReached
	switch {
	case !sameHistory(head, want):
		kind = restwire.OtherLineage
	case !head.Version.Before(want.Version):
		return nil
	}
	p := kind.With(fmt.Sprintf("the set is at %s, %s was asked for", head.Token(), want))
	p.Token = head.Token().String()
	return problem(p)
}

// waitFor waits until the hub has seen a revision, but not for long.
func (s *Service) waitFor(ctx context.Context, want flags.Token) {
	ctx, cancel := context.WithTimeout(ctx, reachLimit)
	defer cancel()
	set, err := s.opts.Hub.Open(ctx, want.Set)
	if err != nil {
		return
	}
	for {
		lead := set.Lead(set.Head())
		if lead.Closed || !behind(lead.Head, want) {
			return
		}
		select {
		case <-lead.Changed:
		case <-ctx.Done():
			return
		}
	}
}

// place is where a client says it is.
type place struct {
	flags.Version
	lineage flags.Lineage // empty: that of the set
	digest  *flags.Digest // nil: as the set's was
}

// parsePlace reads a place: a token of the set, epoch.revision, or a revision of
// the epoch that the set is in, and what its digest was there.
func parsePlace(text, digest string, head flags.Head) (place, error) {
	p := place{lineage: head.Lineage}
	if strings.Contains(text, "@") {
		token, err := flags.ParseToken(text)
		if err != nil {
			return p, err
		}
		if token.Set != head.Set {
			return p, invalid("token %q is of another set than %q", text, head.Set)
		}
		p.Version = token.Version
		if token.Lineage != "" {
			p.lineage = token.Lineage
		}
	} else {
		v, err := flags.ParseVersion(text, head.Epoch)
		if err != nil {
			return p, invalid("revision %.60q; want a number, epoch.revision or a token", text)
		}
		p.Version = v
	}
	if digest != "" {
		d, err := restwire.ParseDigest(digest)
		if err != nil {
			return p, invalid("%w", err)
		}
		p.digest = &d
	}
	return p, nil
}

// matches reports whether an If-None-Match header has the token. Comparison is
// the weak one of RFC 9110: both forms of a snapshot say the same.
func matches(header string, head flags.Head) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == "*" || tag == etag(head) {
			return true
		}
	}
	return false
}

func etag(head flags.Head) string { return `"` + head.Token().String() + `"` }

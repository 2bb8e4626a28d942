package flags

import (
	"context"
	"slices"
	"sync/atomic"
)

// session is the newest of each set that reads with a context were answered from.
// It is never changed in place: a read that brings nothing new costs a load and a comparison.
type session struct {
	seen atomic.Pointer[[]Token]
}

// WithSession returns a context that remembers, for each set, the newest version
// that reads with it were answered from, whatever client answered. Later reads with it, or with
// a context made from it, demand that version as with [AtLeast]: within a session nobody goes back. A context
// that has a session already is returned as it is. A session may be used by several goroutines.
//
// Between processes a session travels as tokens: who calls sends [Demands], who answers
// begins with [WithSession] and [Saw] of what came and sends [SessionTokens] back, and the caller
// takes those with [Saw]. Reads through a [Handle] or a [View] have no context, so no session learns of them.
func WithSession(ctx context.Context) context.Context {
	if r := requestOf(ctx); r != nil && r.session != nil {
		return ctx
	}
	d := demanding(ctx)
	d.session, d.tried = &session{}, &d.attempt
	return d
}

// Saw raises the session of ctx to tokens that it learnt of otherwise: from a write,
// or from another service's answer. Without a session it does nothing.
func Saw(ctx context.Context, tokens ...Token) {
	r := requestOf(ctx)
	if r == nil {
		return
	}
	for _, t := range tokens {
		r.session.raise(t)
	}
}

// SessionTokens returns what the session of ctx has seen, a token for each set, in the
// order in which the sets were met: what to hand back to the caller. nil: nothing, or no session.
func SessionTokens(ctx context.Context) []Token {
	r := requestOf(ctx)
	if r == nil {
		return nil
	}
	return slices.Clone(r.session.tokens())
}

// tokens returns what the session has seen, to be read only. A nil session has seen nothing.
func (s *session) tokens() []Token {
	if s == nil {
		return nil
	}
	if seen := s.seen.Load(); seen != nil {
		return *seen
	}
	return nil
}

// learn notes what a read was answered from: nearly always what the one before was.
func (s *session) learn(h *Head) {
	seen := s.tokens()
	for i := range seen {
		if t := &seen[i]; t.Version == h.Version && t.Lineage == h.Lineage && t.Set == h.Set {
			return
		}
	}
	s.raise(h.Token())
}

// raise notes t unless it is no news.
func (s *session) raise(t Token) {
	if s == nil {
		return
	}
	for {
		old := s.seen.Load()
		var have []Token
		if old != nil {
			have = *old
		}
		if slices.ContainsFunc(have, func(h Token) bool { return h.Set == t.Set && compatible(h.Lineage, t.Lineage) && higher(h, t) == h }) {
			return
		}
		next := raised(slices.Clone(have), t)
		if s.seen.CompareAndSwap(old, &next) {
			return
		}
	}
}

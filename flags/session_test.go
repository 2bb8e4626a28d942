package flags_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

func token(revision uint64, lineage flags.Lineage) flags.Token {
	return flags.Token{Set: "default", Version: flags.Version{Revision: revision}, Lineage: lineage}
}

func TestSessionTokens(t *testing.T) {
	here, there := flags.NewLineage(), flags.NewLineage()
	other := flags.Token{Set: "other", Version: flags.Version{Revision: 7}}
	for name, tt := range map[string]struct{ saw, want []flags.Token }{
		"nothing":                    {nil, nil},
		"the newest":                 {[]flags.Token{token(3, here), token(5, here), token(4, here)}, []flags.Token{token(5, here)}},
		"each set":                   {[]flags.Token{token(3, here), other}, []flags.Token{token(3, here), other}},
		"a bare token is of any":     {[]flags.Token{token(3, ""), token(2, here)}, []flags.Token{token(3, here)}},
		"no history is forgotten":    {[]flags.Token{token(3, here), token(2, there)}, []flags.Token{token(3, here), token(2, there)}},
		"epochs count for more":      {[]flags.Token{token(9, here), {Set: "default", Version: flags.Version{Epoch: 1, Revision: 1}}}, []flags.Token{{Set: "default", Version: flags.Version{Epoch: 1, Revision: 1}, Lineage: here}}},
		"the same again and nothing": {[]flags.Token{other, other}, []flags.Token{other}},
	} {
		ctx := flags.WithSession(t.Context())
		flags.Saw(ctx, tt.saw...)
		if got := flags.SessionTokens(ctx); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
		if again := flags.WithSession(ctx); again != ctx {
			t.Errorf("%s: a session within a session", name)
		}
	}
	ctx := flags.AtLeast(flags.WithSession(t.Context()), token(4, here))
	flags.Saw(ctx, token(6, ""), other)
	if got, want := flags.Demands(ctx), []flags.Token{token(6, here), other}; !slices.Equal(got, want) {
		t.Errorf("demands %v, want %v", got, want)
	}
	flags.Saw(t.Context(), other)
	if flags.Demands(t.Context()) != nil || flags.SessionTokens(t.Context()) != nil {
		t.Error("a plain context demands something")
	}
}

// Many goroutines raise one session at once, and none of what they saw is lost.
func TestSessionIsSharedByGoroutines(t *testing.T) {
	ctx := flags.WithSession(t.Context())
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for revision := range uint64(200) {
				flags.Saw(ctx, flags.Token{Set: string(rune('a' + i)), Version: flags.Version{Revision: revision}}, token(revision, ""))
			}
		})
	}
	all.Wait()
	tokens := flags.SessionTokens(ctx)
	if len(tokens) != 9 {
		t.Errorf("%d tokens, want 9", len(tokens))
	}
	for _, token := range tokens {
		if token.Revision != 199 {
			t.Errorf("%v was not the newest seen", token)
		}
	}
}

// One session hops between an instance that is current and one that is behind. It never
// goes back; with the session off the same hops do.
func TestSessionNeverGoesBack(t *testing.T) {
	for name, begin := range map[string]func(context.Context) context.Context{
		"session": flags.WithSession,
		"none":    func(ctx context.Context) context.Context { return ctx },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { hop(begin(t.Context()), t, name == "session") })
		})
	}
}

func hop(ctx context.Context, t *testing.T, session bool) {
	ahead := climb(t)
	behind := climb(t, func(t *testing.T, l *ladder, _ *flags.Options) {
		closed(t, l.primary.store)
		l.primary.store = ahead.primary.store
		l.primary.bendBy(func(u flags.Update) flags.Update {
			if len(u.Commits) > 0 {
				time.Sleep(300 * time.Millisecond) // longer than a token is waited for
			}
			return u
		})
	})
	back, silent := 0, 0
	var newest flags.Version
	for i := range 50 {
		changes := []flags.Mutation{putFlag("beta", []string{onFlag, switchFlag}[i%2])}
		apply(t, ahead.primary.store, flags.OpChange, changes...)
		time.Sleep(10 * time.Millisecond)
		for _, client := range []*ladder{ahead, behind} {
			d := client.BoolDetails(ctx, "beta", anyone, false)
			if v := d.Token().Version; !v.Before(newest) {
				newest = v
			} else if back++; d.Freshness != flags.FreshnessNotFresh {
				silent++
			}
		}
	}
	if went := silent > 0; went == session {
		t.Errorf("went back %d times, %d of them without a word", back, silent)
	}
	if session && back > 0 {
		t.Errorf("went back %d times with a primary that answers", back)
	}
}

package mongostore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
)

// TestHold: commits that somebody still needs are kept, for as long as they are not too
// old, and all of them while it cannot be told who needs what. With nobody to hold them
// they go, so that the cases cannot pass by themselves.
func TestHold(t *testing.T) {
	t.Parallel()
	fifth := func(context.Context, string) (flags.Version, error) { return flags.Version{Revision: 5}, nil }
	for name, tc := range map[string]struct {
		hold    func(context.Context, string) (flags.Version, error)
		holdFor time.Duration
		keeps   bool
	}{
		"nobody":        {nil, 0, false},
		"held":          {fifth, 0, true},
		"held too long": {fifth, time.Nanosecond, false},
		"nobody can say": {func(context.Context, string) (flags.Version, error) {
			return flags.Version{}, errors.New("out of reach")
		}, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := quick()
			opts.Hold, opts.HoldFor = tc.hold, tc.holdFor
			s := open(t, testenv.Mongo(t), opts)
			create(t, s, set)
			compact(t, s, set)
			compact(t, s, set)
			commits, err := s.Commits(t.Context(), set, flags.Version{}, flags.Version{Epoch: 9}, 0)
			if err != nil || len(commits) == 0 {
				t.Fatal(len(commits), err)
			}
			if first := commits[0].Revision; (first <= 5) != tc.keeps {
				t.Errorf("what is kept begins with %d", first)
			}
		})
	}
}

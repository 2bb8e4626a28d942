package session_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/session"
)

const a, b = "shop@0.57~k7q2m9xc", "billing@2.12"

func list(n int) string {
	var text []string
	for i := range n {
		text = append(text, fmt.Sprintf("set%d@0.%d", i, i+1))
	}
	return strings.Join(text, ",")
}

func TestParse(t *testing.T) {
	for name, tt := range map[string]struct {
		values          []string
		want            string
		invalid, beyond int
	}{
		"nothing":                  {nil, "", 0, 0},
		"empty":                    {[]string{"", " , ,\t"}, "", 0, 0},
		"one":                      {[]string{a}, a, 0, 0},
		"a list":                   {[]string{a + ", " + b}, a + "," + b, 0, 0},
		"two lines":                {[]string{a, b}, a + "," + b, 0, 0},
		"the newer of a set":       {[]string{a, "shop@1.2, shop@0.99"}, "shop@1.2~k7q2m9xc", 0, 0},
		"garbage beside tokens":    {[]string{"x,\x00@@,-1," + a + ",shop@1,shop@1.-2~"}, a, 5, 0},
		"a lineage that is none":   {[]string{"shop@0.1~0000"}, "", 1, 0},
		"as many sets as are read": {[]string{list(16)}, list(16), 0, 0},
		"one set too many":         {[]string{list(17)}, list(16), 0, 1},
		"too long":                 {[]string{a, strings.Repeat(",", session.MaxBytes)}, "", 0, 1},
		"one long token":           {[]string{strings.Repeat("x", session.MaxBytes-20), b}, b, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			invalid, beyond := 0, 0
			c := &session.Carrier{Logger: slog.New(slog.DiscardHandler), Ignored: func(reason error) {
				switch {
				case errors.Is(reason, flags.ErrInvalid):
					invalid++
				case errors.Is(reason, flags.ErrTooLarge):
					beyond++
				default:
					t.Error(reason)
				}
			}}
			ctx := c.Begin(t.Context(), tt.values)
			if got := c.Response(ctx); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := c.Request(ctx); got != tt.want {
				t.Errorf("sends on %q, want %q", got, tt.want)
			}
			if invalid != tt.invalid || beyond != tt.beyond {
				t.Errorf("ignored %d as invalid and %d as too large, want %d and %d", invalid, beyond, tt.invalid, tt.beyond)
			}
		})
	}
}

// What is sent on keeps to the limits of who will read it.
func TestSendsNoMoreThanIsRead(t *testing.T) {
	ctx := flags.WithSession(t.Context())
	for i := range 40 {
		flags.Saw(ctx, flags.Token{Set: fmt.Sprintf("%s-%d", strings.Repeat("s", 120), i), Version: flags.Version{Revision: 1 << 60}})
	}
	ignored := 0
	c := &session.Carrier{Logger: slog.New(slog.DiscardHandler), Ignored: func(error) { ignored++ }}
	sent := c.Response(ctx)
	if ignored != 1 {
		t.Errorf("%d complaints about a session that is too large", ignored)
	}
	if again := c.Response(c.Begin(t.Context(), []string{sent})); again != sent || ignored != 1 {
		t.Errorf("of %d bytes sent %d were read", len(sent), len(again))
	}
}

// A call that demands something without being in a session hands that on.
func TestDemandsTravel(t *testing.T) {
	token, err := flags.ParseToken(a)
	if err != nil {
		t.Fatal(err)
	}
	c := &session.Carrier{}
	if got := c.Request(flags.AtLeast(t.Context(), token)); got != a {
		t.Errorf("sends %q", got)
	}
	if got := c.Request(t.Context()) + c.Response(t.Context()); got != "" {
		t.Errorf("a plain context sends %q", got)
	}
}

// Whoever sends garbage does not fill the log with it; the count goes on.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := &session.Carrier{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		garbage := strings.Repeat("x", 3000)
		for range 100 {
			c.Begin(context.Background(), []string{garbage})
			time.Sleep(time.Second)
		}
		text := log.String()
		if n := strings.Count(text, "\n"); n != 10 {
			t.Errorf("%d lines in 100 s, want 10", n)
		}
		if !strings.Contains(text, "ignored=91") || len(text) > 10*500 {
			t.Errorf("the log has no count, or too much:\n%s", text)
		}
	})
}

func FuzzBegin(f *testing.F) {
	for _, seed := range []string{"", a, a + "," + b, list(20), "@.~,", "shop@18446744073709551615.1", strings.Repeat("a@0.1,", 900)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := &session.Carrier{Logger: slog.New(slog.DiscardHandler)}
		once := c.Response(c.Begin(t.Context(), []string{text}))
		if len(once) > session.MaxBytes {
			t.Errorf("%d bytes", len(once))
		}
		if again := c.Response(c.Begin(t.Context(), []string{once})); again != once {
			t.Errorf("%q is read as %q", once, again)
		}
	})
}

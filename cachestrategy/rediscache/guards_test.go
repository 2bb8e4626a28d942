package rediscache_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/matrix"
)

// F13: a writer that was held up for ten seconds, or for a day, is refused, also where
// the entry has long been gone. Without the watermark it is not.
func TestDelayedWriter(t *testing.T) {
	matrix.Tally(t, "F13", 3, 0)
	for _, guarded := range []bool{true, false} {
		for _, delay := range []time.Duration{10 * time.Second, 24*time.Hour + time.Minute, 36 * time.Hour} {
			synctest.Test(t, func(t *testing.T) {
				_, o := virtual(t)
				if !guarded {
					o = *rediscache.Without("watermark", o)
				}
				c := open(t, "redis://virtual", &o)
				late, now := offer(), offer()
				now.Head.Revision = 2
				now.Checkpoint = &flags.Checkpoint{Head: now.Head}
				if _, err := c.Put(t.Context(), now); err != nil {
					t.Fatal(err)
				}
				time.Sleep(delay)
				got, err := c.Put(t.Context(), late)
				if err != nil {
					t.Fatal(err)
				}
				gone := delay > 24*time.Hour
				if refused := got == cachestrategy.Older; refused != (guarded || !gone) {
					t.Errorf("guarded %t: after %v: %v", guarded, delay, got)
				}
			})
		}
	}
}

// An entry of a later version of this program is told as such and left alone.
func TestNewerFormat(t *testing.T) {
	for _, guarded := range []bool{true, false} {
		o := patient
		if !guarded {
			o = *rediscache.Without("format", o)
		}
		c := real(t, o)
		if err := put(t, c); err != nil {
			t.Fatal(err)
		}
		entry := c.Keys("shop")[0]
		if err := c.Client().HSet(t.Context(), entry, "format", "2", "head", "in another way").Err(); err != nil {
			t.Fatal(err)
		}
		if err := get(t, c); !errors.Is(err, cachestrategy.ErrNewerFormat) || !errors.Is(err, flags.ErrFormat) || flags.ClassOf(err) != flags.ClassPermanent {
			t.Errorf("Get: %v of class %v", err, flags.ClassOf(err))
		}
		x := offer()
		x.Origin, x.AsOf = true, time.Now().Add(time.Second)
		if got, err := c.Put(t.Context(), x); err != nil || (got == cachestrategy.Conflict) != guarded {
			t.Errorf("guarded %t: Put: %v, %v", guarded, got, err)
		}
	}
}

// An entry of another set under our key is none of ours.
func TestWrongSet(t *testing.T) {
	c := real(t, patient)
	if err := put(t, c); err != nil {
		t.Fatal(err)
	}
	keys := c.Keys("shop")
	if err := c.Client().Rename(t.Context(), keys[0], c.Keys("other")[0]).Err(); err != nil {
		t.Fatal(err)
	}
	_, err := c.Get(t.Context(), cachestrategy.Query{Set: "other"})
	if !errors.Is(err, cachestrategy.ErrDamaged) || flags.ClassOf(err) != flags.ClassPermanent {
		t.Errorf("%v of class %v", err, flags.ClassOf(err))
	}
}

// However long somebody makes the tail, little of it is read.
func TestEndlessTail(t *testing.T) {
	c := real(t, patient)
	if err := put(t, c); err != nil {
		t.Fatal(err)
	}
	tail := c.Keys("shop")[1]
	pipe := c.Client().Pipeline()
	for i := range 5000 {
		pipe.Do(t.Context(), "ZADD", tail, 0, fmt.Sprintf("%020d%01000d", i+2, i))
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := sent(t, c)
	if err := get(t, c); err != nil && !errors.Is(err, cachestrategy.ErrDamaged) {
		t.Errorf("Get: %v", err)
	}
	if n := sent(t, c) - before; n > 2_000_000 { // of 5 MB
		t.Errorf("%d bytes were read", n)
	}
}

// sent returns how many bytes the server has sent.
func sent(t *testing.T, c *rediscache.Cache) (n int64) {
	t.Helper()
	info, err := c.Client().InfoMap(t.Context(), "stats").Result()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(info["Stats"]["total_net_output_bytes"], &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A lease is granted to one at a time, and ends by itself.
func TestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, o := virtual(t)
		a, b := open(t, "redis://virtual", &o), open(t, "redis://virtual", &o)
		want := func(c *rediscache.Cache, set string, want bool) {
			t.Helper()
			if got, err := c.Lease(t.Context(), set, time.Second); err != nil || got != want {
				t.Errorf("%t, %v; want %t", got, err, want)
			}
		}
		want(a, "shop", true)
		want(b, "shop", false)
		want(b, "other", true)
		time.Sleep(time.Second)
		want(b, "shop", true)
		want(a, "shop", false)
	})
}

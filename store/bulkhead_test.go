package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// crowd is a source that takes a while and knows how many calls it had at once.
type crowd struct {
	mu                   sync.Mutex
	now, most, mostOfSet int
	bySet                map[string]int
	calls                int
	fail                 func()
}

func (c *crowd) Head(_ context.Context, set string) (flags.Head, error) {
	c.mu.Lock()
	c.calls++
	c.now++
	c.bySet[set]++
	c.most, c.mostOfSet = max(c.most, c.now), max(c.mostOfSet, c.bySet[set])
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
		c.bySet[set]--
	}()
	time.Sleep(30 * time.Millisecond)
	if c.fail != nil {
		c.fail()
	}
	return flags.Head{Set: set}, nil
}

func (c *crowd) Fetch(ctx context.Context, set string, _ flags.Head) (flags.Update, error) {
	h, err := c.Head(ctx, set)
	return flags.Update{Head: h}, err
}

// A database sees one call of a set and four in all, whatever a process wants of it,
// and nobody waits for long.
func TestBulkheadBounds(t *testing.T) {
	guarded(t, store.WithoutBound, func(t *testing.T, o store.SlotsOptions) bool {
		db := &crowd{bySet: map[string]int{}}
		slots := store.NewSlots(&o)
		var wg sync.WaitGroup
		for i := range 200 {
			s := store.Bulkhead(db, slots) // each client of the process has its own
			wg.Go(func() {
				began := time.Now()
				var err error
				if i%2 == 0 {
					_, err = s.Head(t.Context(), fmt.Sprint("set", i%10))
				} else {
					_, err = s.Fetch(t.Context(), fmt.Sprint("set", i%10), flags.Head{})
				}
				if err != nil && (!errors.Is(err, store.ErrBusy) || flags.ClassOf(err) != flags.ClassRefused) {
					t.Error(err)
				}
				if took := time.Since(began); took > 130*time.Millisecond {
					t.Errorf("a caller was kept for %v", took)
				}
			})
		}
		wg.Wait()
		if db.calls < 4 {
			t.Errorf("%d calls came through", db.calls)
		}
		return db.most > 4 || db.mostOfSet > 1
	})
}

// A slot comes back however a call ends, and a caller who leaves takes none along.
func TestBulkheadGivesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := &crowd{bySet: map[string]int{}, fail: func() { panic("torn") }}
		s := store.Bulkhead(db, store.NewSlots(&store.SlotsOptions{Total: 1}))
		func() {
			defer func() { _ = recover() }()
			_, _ = s.Head(t.Context(), "shop")
		}()
		db.fail = nil
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Head(t.Context(), "shop"); err != nil {
				t.Error(err)
			}
		})
		synctest.Wait()
		left, leave := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer leave()
		if _, err := s.Head(left, "shop"); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, store.ErrBusy) {
			t.Errorf("who left while waiting got %v", err)
		}
		wg.Wait()
		if _, err := s.Head(t.Context(), "shop"); err != nil {
			t.Errorf("no slot is free: %v", err)
		}
	})
}

package remote_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/remote"
)

func event(checkpoint uint64, commits ...uint64) flags.Event {
	var ev flags.Event
	if checkpoint > 0 {
		ev.Checkpoint = &flags.Checkpoint{Head: flags.Head{Version: flags.Version{Revision: checkpoint}}}
		ev.Head = ev.Checkpoint.Head
	}
	for _, c := range commits {
		ev.Commits = append(ev.Commits, flags.Commit{Set: "shop", Version: flags.Version{Revision: c}})
		ev.Head.Revision = c
	}
	return ev
}

func TestMailboxMerges(t *testing.T) {
	for _, c := range []struct {
		name       string
		in         []flags.Event
		checkpoint uint64
		commits    int
		head       uint64
	}{
		{"commits", []flags.Event{event(0, 2), event(0, 3, 4), event(0, 5)}, 0, 4, 5},
		{"commits after a checkpoint", []flags.Event{event(7), event(0, 8), event(0, 9)}, 7, 2, 9},
		{"a checkpoint takes the place of all before", []flags.Event{event(3), event(0, 4), event(9), event(0, 10)}, 9, 1, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := remote.NewMailbox()
			for _, ev := range c.in {
				b.Put(ev, 10)
			}
			end := errors.New("end")
			b.Fail(end)
			b.Fail(errors.New("too late"))
			ev, err := b.Take()
			if err != nil || len(ev.Commits) != c.commits || ev.Head.Revision != c.head || (ev.Checkpoint != nil) != (c.checkpoint > 0) {
				t.Fatalf("got %+v, %v", ev, err)
			}
			if ev.Checkpoint != nil && ev.Checkpoint.Revision != c.checkpoint {
				t.Errorf("checkpoint at %d, want %d", ev.Checkpoint.Revision, c.checkpoint)
			}
			for range 2 {
				if _, err := b.Take(); !errors.Is(err, end) {
					t.Errorf("after the last event: %v", err)
				}
			}
		})
	}
}

// What says nothing of its own must not hide what waits.
func TestMailboxKeepsNews(t *testing.T) {
	for _, nothing := range []flags.Event{{Queued: true}, {Absent: true}} {
		b := remote.NewMailbox()
		b.Put(event(0, 2, 3), 10)
		b.Put(nothing, 1)
		if ev, err := b.Take(); err != nil || ev.Queued || ev.Absent || len(ev.Commits) != 2 || ev.Head.Revision != 3 {
			t.Errorf("got %+v, %v", ev, err)
		}
		b.Put(nothing, 1)
		b.Put(event(7), 10)
		if ev, err := b.Take(); err != nil || ev.Queued || ev.Absent || ev.Checkpoint == nil {
			t.Errorf("got %+v, %v", ev, err)
		}
	}
}

// That the router is going away is no failure, and must not be forgotten for what it says besides.
func TestMailboxKeepsDrain(t *testing.T) {
	for name, more := range map[string]flags.Event{"heartbeat": {}, "commits": event(0, 3), "checkpoint": event(7)} {
		b := remote.NewMailbox()
		b.Put(flags.Event{RetryAfter: time.Second}, 1)
		b.Put(more, 1)
		if ev, err := b.Take(); err != nil || ev.RetryAfter != time.Second {
			t.Errorf("%s after a drain: %+v, %v", name, ev, err)
		}
		b.Put(event(0, 8), 1)
		if ev, err := b.Take(); err != nil || ev.RetryAfter != 0 {
			t.Errorf("after the drain was taken: %+v, %v", ev, err)
		}
	}
}

func TestMailboxIsBounded(t *testing.T) {
	b := remote.NewMailbox()
	b.Put(event(0, 1), remote.MailboxBytes)
	done := make(chan struct{})
	through := make(chan struct{})
	go func() {
		defer close(through)
		b.WaitForRoom(done)
	}()
	select {
	case <-through:
		t.Fatal("there was room in a full mailbox")
	default:
	}
	if _, err := b.Take(); err != nil {
		t.Fatal(err)
	}
	<-through
	b.Put(event(0, 2), remote.MailboxBytes)
	close(done)
	b.WaitForRoom(done) // returns although there is no room
}

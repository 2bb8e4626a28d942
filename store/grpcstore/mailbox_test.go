package grpcstore

import (
	"errors"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// TestCommitsOfOneAnswerAreBounded: a router that never stops sending is cut off.
func TestCommitsOfOneAnswerAreBounded(t *testing.T) {
	c := commitAt(1)
	c.Changes = []flags.Mutation{{Key: flags.FlagKey("a"), Bytes: make([]byte, 1<<20)}} // some hundred bytes on the wire
	encoded, err := wire.Encode([]flags.Commit{c, c})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		bytes int
		want  error
	}{{0, nil}, {maxCommitsBytes - 3<<20, nil}, {maxCommitsBytes - 2<<20, flags.ErrTooLarge}} {
		got := commits{bytes: tc.bytes}
		if err := got.add(&pb.Commits{Commits: encoded}); !errors.Is(err, tc.want) || err == nil && len(got.got) != 2 {
			t.Errorf("after %d bytes: %d commits, %v; want %v", tc.bytes, len(got.got), err, tc.want)
		}
	}
}

func commitAt(revision uint64) flags.Commit {
	return flags.Commit{Set: "shop", Version: flags.Version{Revision: revision}}
}

func event(checkpoint uint64, commits ...uint64) flags.Event {
	var ev flags.Event
	if checkpoint > 0 {
		ev.Checkpoint = &flags.Checkpoint{Head: flags.Head{Version: flags.Version{Revision: checkpoint}}}
		ev.Head = ev.Checkpoint.Head
	}
	for _, c := range commits {
		ev.Commits = append(ev.Commits, commitAt(c))
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
			b := newMailbox()
			for _, ev := range c.in {
				b.put(ev, 10)
			}
			end := errors.New("end")
			b.fail(end)
			b.fail(errors.New("too late"))
			ev, err := b.take()
			if err != nil || len(ev.Commits) != c.commits || ev.Head.Revision != c.head || (ev.Checkpoint != nil) != (c.checkpoint > 0) {
				t.Fatalf("got %+v, %v", ev, err)
			}
			if ev.Checkpoint != nil && ev.Checkpoint.Revision != c.checkpoint {
				t.Errorf("checkpoint at %d, want %d", ev.Checkpoint.Revision, c.checkpoint)
			}
			for range 2 {
				if _, err := b.take(); !errors.Is(err, end) {
					t.Errorf("after the last event: %v", err)
				}
			}
		})
	}
}

func TestMailboxIsBounded(t *testing.T) {
	b := newMailbox()
	b.put(event(0, 1), mailboxBytes)
	done := make(chan struct{})
	through := make(chan struct{})
	go func() {
		defer close(through)
		b.waitForRoom(done)
	}()
	select {
	case <-through:
		t.Fatal("there was room in a full mailbox")
	default:
	}
	if _, err := b.take(); err != nil {
		t.Fatal(err)
	}
	<-through
	b.put(event(0, 2), mailboxBytes)
	close(done)
	b.waitForRoom(done) // returns although there is no room
}

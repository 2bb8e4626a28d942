package store_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// writer is the one writer of a feed.
type writer struct {
	t        testing.TB
	contents *flags.Contents
	feed     *store.Feed
}

func newWriter(t testing.TB) *writer {
	w := &writer{t: t, contents: flags.NewContents("shop")}
	c := commit("shop")
	c.Op = flags.OpCreate
	r := w.accept(c)
	w.feed = store.NewFeed(w.contents.Checkpoint(), r)
	return w
}

func (w *writer) accept(c flags.Commit) store.Record {
	w.t.Helper()
	if err := w.contents.Seal(&c); err != nil {
		w.t.Fatal(err)
	}
	if err := w.contents.Apply(&c); err != nil {
		w.t.Fatal(err)
	}
	r, err := store.NewRecord(c)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

func (w *writer) write(n int) {
	for i := range n {
		w.feed.Publish(w.contents, w.accept(commit("shop", put("n", flagOf(i)))))
	}
}

// TestFeedLeads has readers come back after every number of commits, and wants
// each to arrive at the head by what the feed gives them, cheaply while they are
// a little behind.
func TestFeedLeads(t *testing.T) {
	w := newWriter(t)
	heads := []flags.Head{{Set: "shop"}, w.feed.Head()}
	for range 700 {
		w.write(1)
		heads = append(heads, w.feed.Head())
	}
	base := w.feed.Base()
	if behind := w.feed.Head().Revision - base.Revision; behind > 256 {
		t.Errorf("the checkpoint is %d commits behind", behind)
	}
	for i, have := range heads {
		if i > 1 && i%5 != 0 {
			continue // each tells the same
		}
		lead := w.feed.Lead(have)
		u := lead.Update()
		behind := len(heads) - 1 - i
		if near := behind <= 256; near && u.Checkpoint != nil {
			t.Fatalf("a reader %d commits behind gets a checkpoint: %s", behind, lead.Reset)
		}
		if u.Checkpoint == nil {
			if len(u.Commits) != behind {
				t.Fatalf("a reader %d commits behind gets %d", behind, len(u.Commits))
			}
			continue
		}
		if (lead.Reset == "") != have.Version.IsZero() {
			t.Fatalf("from %s with a checkpoint and reset %q", have.Version, lead.Reset)
		}
		c, err := store.Assemble("shop", u)
		if err != nil || c.Head() != w.feed.Head() {
			t.Fatalf("from %s one arrives at %s: %v", have.Version, c.Head().Version, err)
		}
	}
	if c, err := w.feed.Contents(); err != nil || c.Head() != w.contents.Head() {
		t.Fatalf("contents afresh: %v", err)
	}
}

func TestFeedEncodesItsBaseOnce(t *testing.T) {
	w := newWriter(t)
	w.write(300)
	first, err := w.feed.Base().Encoded()
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.feed.Base().Encoded()
	if err != nil || &first[0] != &again[0] {
		t.Fatalf("encoded twice (%v)", err)
	}
	var cp flags.Checkpoint
	if err := cp.UnmarshalBinary(first); err != nil || cp.Head != w.feed.Base().Head {
		t.Fatalf("encoded %s: %v", cp.Token(), err)
	}
}

func TestFeedRemembersWhatLedToItsBase(t *testing.T) {
	w := newWriter(t)
	var records []store.Record
	for i := range 20 {
		records = append(records, w.accept(commit("shop", put("n", flagOf(i)))))
	}
	f := store.NewFeed(w.contents.Checkpoint(), records...)
	lead := f.Lead(records[0].Commit.Head())
	if lead.Base != nil || len(lead.Records) != 19 {
		t.Fatalf("base %v and %d records, want 19 records", lead.Base != nil, len(lead.Records))
	}
	if lead = f.Lead(flags.Head{Set: "shop", Lineage: f.Head().Lineage, Version: flags.Version{Revision: 1}}); lead.Reset != "too old" {
		t.Fatalf("from before what it remembers: reset %q", lead.Reset)
	}
}

// TestFeedIsBounded writes commits that are large, and wants the feed to let go
// of them early.
func TestFeedIsBounded(t *testing.T) {
	w := newWriter(t)
	for range 24 {
		var changes []flags.Mutation
		for k := range 4 {
			raw := make([]byte, 64<<10)
			_, _ = rand.Read(raw) // documented never to fail
			changes = append(changes, put(fmt.Sprint(k),
				[]byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":"`+hex.EncodeToString(raw)+`"}}`)))
		}
		w.feed.Publish(w.contents, w.accept(commit("shop", changes...)))
	}
	lead := w.feed.Lead(flags.Head{Set: "shop"})
	size := 0
	for _, r := range lead.Records {
		size += len(r.Bytes)
	}
	if size > 5<<20 {
		t.Fatalf("a cold reader gets %d bytes of commits on top of the checkpoint", size)
	}
}

func TestStreamBeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t)
		stream := w.feed.Watch(t.Context(), "test: watch shop", w.feed.Head())
		defer func() { _ = stream.Close() }()
		start := time.Now()
		for _, want := range []time.Duration{0, 10 * time.Second, 20 * time.Second} {
			ev, err := stream.Next()
			if err != nil || ev.Checkpoint != nil || len(ev.Commits) != 0 || ev.Head != w.feed.Head() {
				t.Fatalf("%+v, %v; want a heartbeat", ev, err)
			}
			if at := time.Since(start); at != want || !ev.AsOf.Equal(time.Now()) {
				t.Fatalf("heartbeat after %s as of %s, want %s and now", at, ev.AsOf, want)
			}
		}
	})
}

func TestStreamIsResetByARestart(t *testing.T) {
	w := newWriter(t)
	stream := w.feed.Watch(t.Context(), "test: watch shop", w.feed.Head())
	defer func() { _ = stream.Close() }()
	other := newWriter(t)
	other.write(3)
	if _, err := stream.Next(); err != nil {
		t.Fatal(err)
	}
	w.feed.Restart(other.contents.Checkpoint())
	ev, err := stream.Next()
	if err != nil || ev.Reset != "another lineage" || ev.Checkpoint == nil || ev.Head != other.contents.Head() {
		t.Fatalf("%+v, %v; want a reset to the other lineage", ev, err)
	}
}

func TestStreamOfADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWriter(t)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		stream := w.feed.Watch(ctx, "test: watch shop", w.feed.Head())
		_, _ = stream.Next()
		_, err := stream.Next()
		if flags.ClassOf(err) != flags.ClassCanceled || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("%v of class %s, want the caller's deadline, canceled", err, flags.ClassOf(err))
		}
	})
}

// TestSlowWatchersCostNothing leaves a thousand watchers behind while commits
// are written, and wants neither memory nor events to pile up for them.
func TestSlowWatchersCostNothing(t *testing.T) {
	w := newWriter(t)
	streams := make([]flags.Stream, 1000)
	for i := range streams {
		streams[i] = w.feed.Watch(t.Context(), "test: watch shop", w.feed.Head())
		defer func() { _ = streams[i].Close() }()
		if _, err := streams[i].Next(); err != nil {
			t.Fatal(err)
		}
	}
	w.write(100) // warm up
	before := heap()
	w.write(512)
	if grown := heap() - before; grown > 4<<20 {
		t.Errorf("with 1000 slow watchers 512 commits keep %d bytes", grown)
	}
	for _, stream := range streams {
		ev, err := stream.Next()
		if err != nil || ev.Head != w.feed.Head() {
			t.Fatalf("caught up to %s, %v", ev.Head.Token(), err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

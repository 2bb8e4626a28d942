package remote

import (
	"cmp"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
)

// MailboxBytes is how much of an update may wait for its reader. Above that
// nothing more is received, the router notices by flow control, and sends what
// was missed in one piece later.
const MailboxBytes = 4 << 20

// Mailbox holds what came in and was not asked for yet, as one event.
type Mailbox struct {
	mu    sync.Mutex
	ev    flags.Event
	full  bool // ev is to be delivered
	bytes int
	err   error         // what comes after ev, for ever
	wake  chan struct{} // holds a token when there may be something to take
	room  chan struct{} // holds a token when something was taken
}

// NewMailbox returns an empty mailbox. One goroutine puts, one takes.
func NewMailbox() *Mailbox {
	return &Mailbox{wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// Put merges an event of so many bytes into what waits already.
func (b *Mailbox) Put(ev flags.Event, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	ev.RetryAfter = cmp.Or(ev.RetryAfter, b.ev.RetryAfter)
	switch {
	case !b.full:
		b.ev, b.bytes = ev, bytes
	case ev.Queued || ev.Absent: // there is news that waits already
	case ev.Checkpoint != nil:
		b.ev, b.bytes = ev, bytes // what led to an older state is of no use any more
	default:
		ev.Checkpoint, ev.Reset = b.ev.Checkpoint, b.ev.Reset
		ev.Commits = append(b.ev.Commits, ev.Commits...)
		b.ev, b.bytes = ev, b.bytes+bytes
	}
	b.full = true
	signal(b.wake)
}

// Fail sets what Take returns once everything was taken. The first error stays.
func (b *Mailbox) Fail(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err == nil {
		b.err = err
	}
	signal(b.wake)
}

// Take waits for an event, or for the error that ends them.
func (b *Mailbox) Take() (flags.Event, error) {
	for {
		b.mu.Lock()
		ev, full, err := b.ev, b.full, b.err
		b.ev, b.full, b.bytes = flags.Event{}, false, 0
		b.mu.Unlock()
		if full {
			signal(b.room)
			return ev, nil
		}
		if err != nil {
			return flags.Event{}, err
		}
		<-b.wake
	}
}

// WaitForRoom returns once more may be put, or done is closed.
func (b *Mailbox) WaitForRoom(done <-chan struct{}) {
	for {
		b.mu.Lock()
		room := b.bytes < MailboxBytes
		b.mu.Unlock()
		if room {
			return
		}
		select {
		case <-b.room:
		case <-done:
			return
		}
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
)

// host is the far side of JavaScript clients: commands go out and replies come
// back as JSON, in any order.
type host struct {
	send func([]byte) error

	mu      sync.Mutex
	last    int
	waiting map[int]chan reply
	gone    error // why nobody will answer any more
}

type command struct {
	ID     int    `json:"id"`
	Client string `json:"client"`
	Op     string `json:"op"`
	Args   any    `json:"args,omitempty"`
}

type reply struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
}

// call performs an operation of a client and decodes what it returned into out.
func (h *host) call(ctx context.Context, client, op string, args, out any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*patience) // the far side gives up first, and says why
	defer cancel()
	id, answered, err := h.expect()
	if err != nil {
		return err
	}
	data, err := json.Marshal(command{ID: id, Client: client, Op: op, Args: args})
	if err != nil {
		return err
	}
	if err := h.send(data); err != nil {
		return err
	}
	select {
	case r, ok := <-answered:
		if !ok {
			return h.gone
		}
		if r.Error != "" {
			return errors.New(r.Error)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(r.Result, out)
	case <-ctx.Done():
		return fmt.Errorf("%s: no reply: %w", op, ctx.Err())
	}
}

func (h *host) expect() (int, <-chan reply, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.gone != nil {
		return 0, nil, h.gone
	}
	h.last++
	answered := make(chan reply, 1)
	if h.waiting == nil {
		h.waiting = map[int]chan reply{}
	}
	h.waiting[h.last] = answered
	return h.last, answered, nil
}

// received hands a reply to whoever waits for it.
func (h *host) received(data []byte) error {
	var r reply
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("not a reply: %q", data)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if answered := h.waiting[r.ID]; answered != nil {
		answered <- r
		delete(h.waiting, r.ID)
	}
	return nil
}

// end fails whoever still waits.
func (h *host) end(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.gone = why
	for id, answered := range h.waiting {
		close(answered)
		delete(h.waiting, id)
	}
}

// tail keeps the last part of what a process has to say.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - tailBytes; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

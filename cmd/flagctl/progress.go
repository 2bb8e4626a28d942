package main

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// progressAfter is how long a command may take before it says what it is at.
const progressAfter = 300 * time.Millisecond

// progress is one line on a terminal that says what goes on, with the time it has
// taken. Elsewhere it is silent: logs and scripts have no use for it.
type progress struct {
	out   io.Writer // nil: silent
	begun time.Time
	width int

	mu    sync.Mutex
	text  string
	shown bool
	ended bool
	timer *time.Timer
}

func (a *app) progress() *progress {
	p := &progress{begun: time.Now()}
	if isTerminal(a.std.err) {
		p.out, p.width = a.std.err, layoutOf(a.std.err, a.std.getenv).width
		p.timer = time.AfterFunc(progressAfter, p.tick)
	}
	a.working = p
	return p
}

// say sets what is shown from now on.
func (p *progress) say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = fmt.Sprintf(format, args...)
}

func (p *progress) tick() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	line := fmt.Sprintf("%s ... %.1fs", clean(p.text), time.Since(p.begun).Seconds())
	if p.width > 0 {
		line = cut(line, p.width-1)
	}
	fmt.Fprintf(p.out, "\r\x1b[K%s", line)
	p.shown = true
	p.timer.Reset(progressAfter / 3)
}

// done takes the line away. It may be called again, and on nil.
func (p *progress) done() {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended = true; p.timer != nil {
		p.timer.Stop()
	}
	if p.shown {
		p.shown = false
		fmt.Fprint(p.out, "\r\x1b[K")
	}
}

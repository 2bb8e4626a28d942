package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// report counts checks. It may be used concurrently.
type report struct {
	verbose bool

	mu      sync.Mutex
	checks  map[string]int // by client
	failed  []string
	aside   map[string][]string // by reason: what the client does not do, or not right
	seconds []string            // by part of the day
}

// check counts one check of a client, failed unless err is nil.
func (r *report) check(client, what string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.checks == nil {
		r.checks = map[string]int{}
	}
	r.checks[client]++
	if err != nil {
		r.failed = append(r.failed, fmt.Sprintf("%s: %s: %v", client, what, err))
	}
	if r.verbose {
		fmt.Printf("   %s: %s: %v\n", client, what, err)
	}
}

// setAside names a check that a client cannot pass for a reason of its own.
func (r *report) setAside(client, what, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.aside == nil {
		r.aside = map[string][]string{}
	}
	r.aside[reason] = append(r.aside[reason], client+": "+what)
}

// took notes how long a part of the day was.
func (r *report) took(part string, d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seconds = append(r.seconds, fmt.Sprintf("%s %.1f s", part, d.Seconds()))
}

func (r *report) failures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.failed)
}

// print prints the summary and tells whether all is well.
func (r *report) print(w io.Writer) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := 0
	for _, client := range slices.Sorted(maps.Keys(r.checks)) {
		fmt.Fprintf(w, "   %-28s %3d checks\n", client, r.checks[client])
		total += r.checks[client]
	}
	for _, f := range r.failed {
		fmt.Fprintln(w, "FAILED", f)
	}
	asides := 0
	for _, reason := range slices.Sorted(maps.Keys(r.aside)) {
		slices.Sort(r.aside[reason])
		fmt.Fprintf(w, "set aside: %s: %s\n", strings.Join(r.aside[reason], "; "), reason)
		asides += len(r.aside[reason])
	}
	fmt.Fprintf(w, "real clients: %d checks, %d clients, %d failed; %d set aside (%s)\n", total, len(r.checks), len(r.failed), asides, strings.Join(r.seconds, ", "))
	return len(r.failed) == 0 && total > 0
}

package cachetest

import (
	"errors"
	"fmt"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

var volumeClauses = map[string]func(*env){
	"a large set": func(e *env) {
		h := &history{env: e}
		changes := make([]flags.Mutation, e.h.Flags)
		for i := range changes {
			changes[i] = put(fmt.Sprintf("flag-%05d", i), flagOf(i))
		}
		h.add(set, flags.OpCreate, changes...)
		h.add(set, flags.OpChange, put("flag-00001", flagOf(-1)))
		e.put(h.whole(1), cachestrategy.Stored)
		e.put(h.since(1, 2), cachestrategy.Stored)
		e.holds(h, 2)
		e.wantCommits(h, 1, 2)
	},
	"lifetimes of many sets": func(e *env) {
		l := newLifetimes(e, e.h.Sets)
		for range e.h.Calls {
			l.call()
		}
		l.check()
	},
	"many sets": func(e *env) {
		var all []*history
		for i := range 50 {
			h := e.history(fmt.Sprintf("set-%d", i), 1+i%3)
			all = append(all, h)
			e.put(h.whole(len(h.at)), cachestrategy.Stored)
		}
		for _, h := range all {
			e.holds(h, len(h.at))
		}
	},
}

func isMiss(err error) bool { return errors.Is(err, cachestrategy.ErrMiss) }

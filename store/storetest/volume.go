package storetest

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

var volumeClauses = map[string]func(*env){
	"a large set": func(e *env) {
		want := map[string][]byte{}
		all := make([]flags.Mutation, e.h.Flags)
		for i := range all {
			name := fmt.Sprintf("team-%d.flag-%d", i%7, i)
			all[i] = put(name, flagOf(i))
			want[name] = flagOf(i)
		}
		first := e.apply(create(set, all...))
		if first.Count != e.h.Flags {
			e.Fatalf("count %d, want %d", first.Count, e.h.Flags)
		}
		e.holds(want)
		for i := range 10 {
			e.apply(change(put(all[i].Key.Name, flagOf(-i))))
			want[all[i].Key.Name] = flagOf(-i)
		}
		e.holds(want)
		u := e.fetch(set, first.Head())
		if u.Checkpoint != nil || len(u.Commits) != 10 {
			e.Fatalf("10 commits later: checkpoint %v, %d commits; want the commits alone", u.Checkpoint != nil, len(u.Commits))
		}
	},
	"a large commit": func(e *env) {
		e.apply(create(set))
		accepted := e.apply(change(bulk(e.h.Bytes)...))
		got := e.commits(accepted.Version, accepted.Version, 0)
		if len(got) != 1 {
			e.Fatalf("%d commits, want the one", len(got))
		}
		e.same("large commit", got[0], accepted)
	},
	"a commit too large is refused": func(e *env) {
		e.history(1)
		err := e.refuse(change(bulk(flags.MaxCommitBytes+(64<<10))...), flags.ErrTooLarge)
		if flags.ClassOf(err) != flags.ClassPermanent {
			e.Errorf("class %s, want permanent", flags.ClassOf(err))
		}
		e.holds(map[string][]byte{"n": flagOf(0)})
		e.apply(change(put("n", flagOf(1))))
	},
}

// bulk returns flags that take about size bytes after compression.
func bulk(size int) []flags.Mutation {
	const each = 48 << 10 // random bytes in a flag
	raw := make([]byte, each)
	var all []flags.Mutation
	for n := 0; n < size; n += each {
		_, _ = rand.Read(raw) // documented never to fail
		all = append(all, put(fmt.Sprintf("bulk-%04d", len(all)), flagText(base64.StdEncoding.EncodeToString(raw))))
	}
	return all
}

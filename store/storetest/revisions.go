package storetest

import (
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

var revisionClauses = map[string]func(*env){
	"are dense from one": func(e *env) {
		for i, c := range e.history(10) {
			if want := (flags.Version{Revision: uint64(i) + 1}); c.Version != want {
				e.Fatalf("commit %d got version %s, want %s", i, c.Version, want)
			}
		}
	},
	"of sets do not mix": func(e *env) {
		a := e.apply(create("a"))
		b := e.apply(create("b"))
		if a.Lineage == b.Lineage {
			e.Fatalf("two sets share the lineage %q", a.Lineage)
		}
		c := change(put("x", flagOf(1)))
		c.Set = "a"
		e.apply(c)
		if ha, hb := e.head("a"), e.head("b"); ha.Revision != 2 || hb.Revision != 1 {
			e.Fatalf("a is at %s and b at %s, want revisions 2 and 1", ha.Token(), hb.Token())
		}
	},
	"are listed by set": func(e *env) {
		names := []string{"a", "b", "B", "c.d_e-f", "z"}
		for i := range names {
			e.apply(create(names[len(names)-1-i]))
		}
		heads, err := e.s.Sets(e.ctx())
		if err != nil {
			e.Fatalf("Sets: %v", err)
		}
		var got []string
		for _, h := range heads {
			got = append(got, h.Set)
			if h != e.head(h.Set) {
				e.Fatalf("Sets says %+v, Head %+v", h, e.head(h.Set))
			}
		}
		if fmt.Sprint(got) != "[B a b c.d_e-f z]" {
			e.Fatalf("Sets returned %v, want them sorted byte by byte", got)
		}
	},
	"a refused commit takes none": func(e *env) {
		e.history(1)
		c := change(put("n", flagOf(9)))
		c.If = flags.Version{Revision: 1}
		for range 3 {
			_, _ = e.s.Apply(e.ctx(), c)
		}
		if got := e.apply(change(put("n", flagOf(2)))); got.Revision != 3 {
			e.Fatalf("after refused commits the next one got %s, want revision 3", got.Version)
		}
	},
	"an accepted commit is filled in": func(e *env) {
		e.apply(create(set))
		before := time.Now().Add(-time.Hour) // a remote store has a clock of its own
		proposed := change(put("x", onOff))
		got := e.apply(proposed)
		head := e.head(set)
		if got.Head() != head {
			e.Fatalf("the commit leads to %+v, the store is at %+v", got.Head(), head)
		}
		if got.ID != proposed.ID || got.Actor != proposed.Actor || got.Reason != proposed.Reason || len(got.Changes) != 1 {
			e.Fatalf("accepted %+v, proposed %+v", got, proposed)
		}
		if got.Count != 1 || got.Digest != flags.EntryHash(flags.FlagKey("x"), onOff) {
			e.Fatalf("digest %s and count %d are not those of the one flag", got.Digest, got.Count)
		}
		if got.Time.Before(before) || got.Time.After(before.Add(2*time.Hour)) {
			e.Fatalf("time %s is not now", got.Time)
		}
	},
	"times survive to the microsecond": func(e *env) {
		want := e.history(3)
		for i, got := range e.commits(flags.Version{}, want[3].Version, 0) {
			if !got.Time.Equal(want[i].Time) || got.Time.Location() != time.UTC || got.Time.Nanosecond()%1000 != 0 {
				e.Fatalf("commit %s was made at %s, is read back as %s", got.Version, want[i].Time, got.Time)
			}
			e.same("commit read back", got, want[i])
		}
	},
	"entries carry that of their last change": func(e *env) {
		e.apply(create(set, put("a", flagOf(1)), put("b", flagOf(1))))
		e.apply(change(put("a", flagOf(2))))
		e.apply(change(put("c", flagOf(3))))
		c := contentsOf(e, set)
		for name, want := range map[string]uint64{"a": 2, "b": 1, "c": 3} {
			if entry, ok := c.Get(flags.FlagKey(name)); !ok || entry.Revision != want {
				e.Fatalf("flag %q: there %v, last changed at %d, want %d", name, ok, entry.Revision, want)
			}
		}
	},
}

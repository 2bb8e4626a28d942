package storetest

import (
	"bytes"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// alike are names that some database somewhere takes for one another.
var alike = []string{
	"flag", "Flag", "FLAG", "flag ", " flag", "flag\t", "flag\x00", "flag\x00x",
	"caf\u00e9", "cafe\u0301", "CAF\u00c9", "stra\u00dfe", "strasse", "\u0131", "i", "\ufb01", "fi", "\u200bflag",
	"a.b", "a/b", "a%2Fb", "a$b", "$a", "a:b", "a@b", "_id", "__proto__", "..", "'; --", "\U0001f6a9",
	strings.Repeat("k", flags.MaxKeyBytes), strings.Repeat("k", flags.MaxKeyBytes-1),
}

var nameClauses = map[string]func(*env){
	"are compared byte by byte": func(e *env) {
		e.apply(create(set))
		want := map[string][]byte{}
		var all []flags.Mutation
		for i, name := range alike {
			want[name] = flagOf(i)
			all = append(all, put(name, flagOf(i)))
		}
		e.apply(change(all...))
		e.holds(want)
		for i, name := range alike { // each alone finds its own entry, and only that
			e.apply(when(change(put(name, flagOf(100+i))), flags.FlagKey(name), 2))
			want[name] = flagOf(100 + i)
		}
		e.holds(want)
		for _, name := range alike[:8] {
			e.apply(change(remove(name)))
			delete(want, name)
		}
		e.holds(want)
	},
	"of entities too": func(e *env) {
		e.apply(create(set, put("a", onOff), put("b", onOff)))
		var all []flags.Mutation
		for _, entity := range alike {
			all = append(all, flags.Mutation{Key: flags.OverrideKey("a", entity), Bytes: []byte(`{"variant":"on"}`)})
		}
		e.apply(change(all...))
		c := contentsOf(e, set)
		for _, entity := range alike {
			if entry, ok := c.Get(flags.OverrideKey("a", entity)); !ok || string(entry.Bytes) != `{"variant":"on"}` {
				e.Fatalf("override for %q: there %v, %q", entity, ok, entry.Bytes)
			}
			if _, ok := c.Get(flags.OverrideKey("b", entity)); ok {
				e.Fatalf("override for %q is there for another flag", entity)
			}
		}
	},
	"of sets too": func(e *env) {
		names := []string{"shop", "Shop", "SHOP", "shop.", "shop-", "shop_", "0", strings.Repeat("s", flags.MaxSetName)}
		for i, name := range names {
			e.apply(create(name, put("n", flagOf(i))))
		}
		for i, name := range names {
			entry, ok := contentsOf(e, name).Get(flags.FlagKey("n"))
			if !ok || !bytes.Equal(entry.Bytes, flagOf(i)) {
				e.Fatalf("set %q holds %q, want %q", name, entry.Bytes, flagOf(i))
			}
		}
		for _, bad := range []string{"", "-a", ".a", "a b", "a/b", "\u00e9", strings.Repeat("s", flags.MaxSetName+1)} {
			_, err := e.s.Apply(e.ctx(), create(bad))
			e.wantError("creating "+bad, err, store.ErrInvalid)
		}
	},
	"kinds are apart": func(e *env) {
		rule := []byte(`{"==":[{"var":"plan"},"pro"]}`)
		e.apply(create(set, put("a", onOff),
			flags.Mutation{Key: flags.EntryKey{Kind: flags.KindEvaluator, Name: "a"}, Bytes: rule},
			flags.Mutation{Key: flags.EntryKey{Kind: flags.KindMetadata, Name: "a"}, Bytes: []byte(`"text"`)},
			flags.Mutation{Key: flags.OverrideKey("a", "a"), Bytes: []byte(`{"variant":"on"}`)}))
		e.apply(change(flags.Mutation{Key: flags.EntryKey{Kind: flags.KindEvaluator, Name: "a"}}))
		c := contentsOf(e, set)
		if c.Head().Count != 3 {
			e.Fatalf("%d entries, want 3", c.Head().Count)
		}
		if _, ok := c.Get(flags.EntryKey{Kind: flags.KindEvaluator, Name: "a"}); ok {
			e.Fatal("the evaluator is still there")
		}
	},
	"empty is not missing": func(e *env) {
		key := flags.EntryKey{Kind: flags.KindMetadata, Name: "owner"}
		e.apply(create(set, flags.Mutation{Key: key, Bytes: []byte(`""`)}))
		if entry, ok := contentsOf(e, set).Get(key); !ok || string(entry.Bytes) != `""` {
			e.Fatalf("an empty text is there %v as %q", ok, entry.Bytes)
		}
		e.apply(change(flags.Mutation{Key: key}))
		if _, ok := contentsOf(e, set).Get(key); ok {
			e.Fatal("a removed entry is still there")
		}
	},
	"texts survive": func(e *env) {
		e.apply(create(set))
		c := change(put("a", flagText("caf\u00e9 \U0001f6a9 cafe\u0301")))
		c.Reason = "line one\nline two\x00 \u2028 \U0001f6a9"
		c.Actor = flags.Actor{Kind: "key", ID: "Zo\u00eb ", Via: ""}
		c.Address = "[2001:db8::1]:443"
		accepted := e.apply(c)
		got := e.commits(accepted.Version, accepted.Version, 0)
		if len(got) != 1 || got[0].Reason != c.Reason || got[0].Actor != c.Actor || got[0].Address != c.Address {
			e.Fatalf("read back %+v", got)
		}
		e.holds(map[string][]byte{"a": flagText("caf\u00e9 \U0001f6a9 cafe\u0301")})
	},
}

package main

import (
	"sync/atomic"

	"github.com/twmb/murmur3"

	"github.com/holdfast-flags/holdfast/flags"
)

// The floor: flags as plain Go would have them, behind one atomic pointer, and the
// user in a struct.

type floorUser struct{ key, plan, country, version string }

type floorRule struct {
	field int
	want  string
	value bool
}

type floorFlag struct {
	rules     []floorRule
	ids       map[string]struct{}
	overrides map[string]bool
	bound     uint32 // hashes below it get value
	value     bool
	text      string
	number    int64
	object    flags.Value
}

type floorSet struct{ flags map[string]*floorFlag }

type floorClient struct{ current atomic.Pointer[floorSet] }

// find is not inlined: neither is any lookup that an application would write.
//
//go:noinline
func (c *floorClient) find(key string) *floorFlag { return c.current.Load().flags[key] }

func (u *floorUser) field(i int) string {
	switch i {
	case 0:
		return u.key
	case 1:
		return u.plan
	case 2:
		return u.country
	default:
		return u.version
	}
}

func (f *floorFlag) byRules(u *floorUser) bool {
	for i := range f.rules {
		if r := &f.rules[i]; u.field(r.field) == r.want {
			return r.value
		}
	}
	return f.value
}

func (f *floorFlag) byIDs(u *floorUser) bool {
	_, ok := f.ids[u.key]
	return ok
}

func (f *floorFlag) byOverrides(u *floorUser) bool {
	if v, ok := f.overrides[u.key]; ok {
		return v
	}
	return f.value
}

func (f *floorFlag) byHash(u *floorUser) bool { return murmur3.StringSum32(u.key) < f.bound }

package rediscache

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Unguarded returns o with a script that takes older versions too.
func Unguarded(o Options) *Options {
	guard := "elseif floor and version < floor then"
	if strings.Count(putSource, guard) != 1 {
		panic("the guard is written otherwise now")
	}
	o.script = redis.NewScript(strings.Replace(putSource, guard, "elseif false then", 1))
	return &o
}

// Keys returns the names of a set's keys: entry, tail, mark.
func (c *Cache) Keys(set string) [3]string { return c.keys(set) }

// Client returns the connection to the server.
func (c *Cache) Client() *redis.Client { return c.client }

// ClassOf is how an error of an operation is classified.
var ClassOf = func(ctx context.Context, op string, err error) string { return classOf(ctx, op, err).String() }

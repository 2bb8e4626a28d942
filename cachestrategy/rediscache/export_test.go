package rediscache

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// guards are the lines of the script that keep a promise, each with what takes its
// place where it is to be missed.
var guards = map[string][2]string{
	"version":   {"elseif floor and version < floor then", "elseif false then"},
	"watermark": {"redis.call('GET', mark) or ''", "''"},
	"lineage":   {"if not authoritative then return 'conflict' end", ""},
	"digest":    {"if floorLineage == lineage and floor == version and not origin then", "if false then"},
	"lifetime":  {"local til = math.max(tonumber(ARGV[6]), tonumber(held[5]))", "local til = tonumber(ARGV[6])"},
	"format":    {"if held[9] and tonumber(held[9])", "if false and tonumber(held[9])"},
}

// Without returns o with a script that lacks a guard.
func Without(guard string, o Options) *Options {
	text := guards[guard]
	if strings.Count(putSource, text[0]) != 1 {
		panic("the guard is written otherwise now: " + guard)
	}
	o.script = redis.NewScript(strings.Replace(putSource, text[0], text[1], 1))
	return &o
}

// Keys returns the names of a set's keys: entry, tail, mark.
func (c *Cache) Keys(set string) [3]string { return c.keys(set) }

// Client returns the connection to the server.
func (c *Cache) Client() *redis.Client { return c.client }

// ClassOf is how an error of an operation is classified.
var ClassOf = func(ctx context.Context, op string, err error) string { return classOf(ctx, op, err).String() }

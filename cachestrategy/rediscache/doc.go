// Package rediscache keeps flag sets in Redis, for all processes that share it.
//
// A set takes three keys, in one hash slot:
//
//	prefix:v1:{set}:entry   a hash: checkpoint, head, instants, version of both
//	prefix:v1:{set}:tail    a sorted set: the commits after the checkpoint
//	prefix:v1:{set}:mark    a string: lineage and version, kept longer than the value
//
// One script writes all three and is the only writer, so a put is atomic and an
// older version never replaces a newer one. Reads use HMGET and ZRANGEBYLEX alone:
// a user with no more than ~prefix:* +@read may read. A reader that has the set at
// some version takes one round trip and the commits since; one that has nothing
// takes two, the head and then the bulk, which has a deadline of its own.
//
// Redis is never believed. What it returns is checked against the digests within,
// and what does not add up is an error. The next writer that saw the damage
// replaces the entry.
//
// The driver, go-redis, writes lines of its own about its connections to standard
// error, without levels. Where they go is a setting of the whole process, so this
// package leaves it to the application: redis.SetLogger, of
// github.com/redis/go-redis/v9, takes a logger that redirects or drops them, and
// logging.Disable, of its package logging, drops them all. What matters in them
// comes back as an error of the call, too.
package rediscache

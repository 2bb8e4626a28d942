// Package standard puts the whole client together from one [Config]: the primary,
// secondary, cache and last-known-good file named by URLs, each behind its own
// circuit breaker, feeding a flags.Client.
//
// It is the only package of the SDK that imports drivers. An application that
// wants fewer of them linked imports package flags and the drivers it needs, and does
// by hand what New does here in one function.
//
// What the layers do is logged through [Config.Logger]. Only go-redis, the driver of Redis,
// also writes lines of its own to standard error: redis.SetLogger, of
// github.com/redis/go-redis/v9, says where they go.
package standard

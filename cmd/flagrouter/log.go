package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
)

func levelOf(name string) (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(name)); err != nil || strings.ContainsAny(name, "+-") {
		return 0, fmt.Errorf("--log-level %s: want debug, info, warn or error", name)
	}
	return l, nil
}

func newLogger(c *config, std stdio) *slog.Logger {
	level, _ := levelOf(c.logLevel) // checked before
	opts := &slog.HandlerOptions{Level: level}
	if c.logFormat == "text" || c.logFormat == "" && std.terminal {
		return slog.New(slog.NewTextHandler(std.err, opts))
	}
	return slog.New(slog.NewJSONHandler(std.err, opts))
}

// redisLog takes what go-redis would print by itself. It is for debugging: what
// operators should know, the publisher says once and not at each attempt.
type redisLog struct{ log *slog.Logger }

func (l redisLog) Printf(ctx context.Context, format string, v ...any) {
	l.log.DebugContext(ctx, "redis: "+fmt.Sprintf(format, v...))
}

// catchLogs sends to log what libraries have a logger of their own for, one for
// the whole process.
func catchLogs(log *slog.Logger) { redis.SetLogger(redisLog{log}) }

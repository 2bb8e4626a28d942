package main

import (
	"fmt"
	"log/slog"
	"strings"
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

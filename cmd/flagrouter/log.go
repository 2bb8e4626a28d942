package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/redis/go-redis/v9"
	"google.golang.org/grpc/grpclog"
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

// grpcLog takes what grpc-go would print by itself. Nearly all of it is about what
// clients and networks do, and the calls that fail of it are logged as calls; so it
// is for debugging, but for grpc-go's own errors.
type grpcLog struct{ log *slog.Logger }

func (l grpcLog) at(level slog.Level, text string) {
	l.log.Log(context.Background(), level, "grpc: "+strings.TrimSpace(text))
}

func (l grpcLog) Info(args ...any)   { l.at(slog.LevelDebug, fmt.Sprint(args...)) }
func (l grpcLog) Infoln(args ...any) { l.at(slog.LevelDebug, fmt.Sprintln(args...)) }
func (l grpcLog) Infof(format string, args ...any) {
	l.at(slog.LevelDebug, fmt.Sprintf(format, args...))
}
func (l grpcLog) Warning(args ...any)   { l.at(slog.LevelDebug, fmt.Sprint(args...)) }
func (l grpcLog) Warningln(args ...any) { l.at(slog.LevelDebug, fmt.Sprintln(args...)) }
func (l grpcLog) Warningf(format string, args ...any) {
	l.at(slog.LevelDebug, fmt.Sprintf(format, args...))
}
func (l grpcLog) Error(args ...any)   { l.at(slog.LevelWarn, fmt.Sprint(args...)) }
func (l grpcLog) Errorln(args ...any) { l.at(slog.LevelWarn, fmt.Sprintln(args...)) }
func (l grpcLog) Errorf(format string, args ...any) {
	l.at(slog.LevelWarn, fmt.Sprintf(format, args...))
}

// The fatal ones are what grpc-go says before it ends the process.
func (l grpcLog) Fatal(args ...any)   { l.at(slog.LevelError, fmt.Sprint(args...)) }
func (l grpcLog) Fatalln(args ...any) { l.at(slog.LevelError, fmt.Sprintln(args...)) }
func (l grpcLog) Fatalf(format string, args ...any) {
	l.at(slog.LevelError, fmt.Sprintf(format, args...))
}

// V says whether details of a verbosity are wanted; grpc-go asks before it formats them.
func (l grpcLog) V(verbosity int) bool {
	return verbosity == 0 && l.log.Enabled(context.Background(), slog.LevelDebug)
}

// catchLogs sends to log what libraries have a logger of their own for, one for
// the whole process. Call it before they are used.
func catchLogs(log *slog.Logger) {
	redis.SetLogger(redisLog{log})
	grpclog.SetLoggerV2(grpcLog{log})
}

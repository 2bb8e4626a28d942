package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/grpc/grpclog"
)

// TestGRPCLog: what grpc-go says by itself is in our form, and quiet unless it is
// an error.
func TestGRPCLog(t *testing.T) {
	say := func(level slog.Level) string {
		var out bytes.Buffer
		var l grpclog.LoggerV2 = grpcLog{slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level}))}
		l.Infof("connected to %s", "a")
		l.Warningln("broken", "handshake")
		l.Error("out of order")
		if l.V(0) != (level == slog.LevelDebug) || l.V(2) {
			t.Errorf("at %s: V(0) is %v, V(2) is %v", level, l.V(0), l.V(2))
		}
		return out.String()
	}
	if got := say(slog.LevelInfo); strings.Count(got, "\n") != 1 || !strings.Contains(got, `level=WARN msg="grpc: out of order"`) {
		t.Errorf("at info: %s", got)
	}
	got := say(slog.LevelDebug)
	for _, want := range []string{`level=DEBUG msg="grpc: connected to a"`, `level=DEBUG msg="grpc: broken handshake"`} {
		if !strings.Contains(got, want) {
			t.Errorf("at debug, without %s:\n%s", want, got)
		}
	}
}

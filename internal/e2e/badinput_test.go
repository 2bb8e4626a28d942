package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRouterRefusesPlainly: what the router cannot start with gives one line
// that says what and where, and the exit code of the contract.
func TestRouterRefusesPlainly(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("not a database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	taken := startRouter(t)
	free := func() []string {
		return []string{"--grpc-addr", freeAddr(t), "--eval-addr", "127.0.0.1:0", "--ops-addr", freeAddr(t), "--http-addr", freeAddr(t), "--data-dir", filepath.Join(t.TempDir(), "d")}
	}
	tests := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"unknown flag", []string{"--frobnicate"}, 2, "frobnicate"},
		{"unknown store", append(free(), "--store", "carrier-pigeon:coop"), 2, "carrier-pigeon"},
		{"relay of nobody", append(free(), "--store", "grpc://127.0.0.1:1"), 1, "grpc://127.0.0.1:1"},
		{"open to the world", append(free(), "--grpc-addr", "0.0.0.0:0"), 2, "--insecure"},
		{"auth on", append(free(), "--auth", "on"), 2, "auth"},
		{"port in use", append(free(), "--grpc-addr", taken.grpc), 1, taken.grpc},
		{"corrupt store", append(free(), "--store", "bolt:"+garbage), 1, garbage},
		{"unreachable store", append(free(), "--store", "mongodb://127.0.0.1:1/holdfast"), 1, "127.0.0.1:1"},
		{"missing seed", append(free(), "--seed", filepath.Join(dir, "none.json")), 2, "none.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "flagrouter"), append(tt.args, "--log-format", "text")...)
			cmd.Stdout, cmd.Stderr = &out, &out
			_ = cmd.Run() // the exit code is what counts
			if code := cmd.ProcessState.ExitCode(); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if last := lines[len(lines)-1]; !strings.Contains(last, tt.says) || len(last) > 500 {
				t.Errorf("last line %q, want it to name %q", last, tt.says)
			}
			if len(lines) > 3 {
				t.Errorf("%d lines:\n%s", len(lines), out.String())
			}
		})
	}
}

// TestGracefulStop: SIGTERM ends the router with 0, and what was written is there
// at the next start.
func TestGracefulStop(t *testing.T) {
	r := startRouter(t)
	r.cli().run("create", "kept")
	before := tokenIn(r.cli().run("status", "-o", "json"))
	if code := r.stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	r.start()
	if after := tokenIn(r.cli().run("status", "-o", "json")); after != before {
		t.Errorf("token %s, was %s", after, before)
	}
	r.cli().run("get", "kept")
}

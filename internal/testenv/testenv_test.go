package testenv_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/holdfast-flags/holdfast/internal/testenv"
)

const childEnv = "HOLDFAST_TESTENV_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(m.Run()) // the child is killed; nothing of it is to be checked
	}
	goleak.VerifyTestMain(testenv.Main(m))
}

func dial(t *testing.T, addr string) bool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func TestServersComeAndGo(t *testing.T) {
	for name, start := range map[string]func(testing.TB) *testenv.Server{
		"redis": testenv.StartRedis, "mongo": testenv.StartMongo,
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			addr := s.Addr()
			steps := []struct {
				name string
				do   func()
				up   bool
			}{
				{"start", func() {}, true},
				{"kill", s.Kill, false},
				{"start again", func() { s.Start(t) }, true},
				{"stop", s.Stop, false},
				{"restart", func() { s.Restart(t) }, true},
			}
			for _, step := range steps {
				step.do()
				if got := dial(t, addr); got != step.up || s.Addr() != addr {
					t.Fatalf("after %s: answers %v at %s, want %v at %s", step.name, got, s.Addr(), step.up, addr)
				}
			}
		})
	}
}

func TestPausedServerHangs(t *testing.T) {
	s := testenv.StartRedis(t)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	in := bufio.NewReader(conn)
	ping := func(patience time.Duration) error {
		_ = conn.SetDeadline(time.Now().Add(patience))
		if _, err := fmt.Fprint(conn, "PING\r\n"); err != nil {
			return err
		}
		_, err := in.ReadString('\n')
		return err
	}
	s.Pause(t)
	if err := ping(50 * time.Millisecond); err == nil {
		t.Fatal("a paused server answered")
	}
	s.Resume(t)
	if err := ping(5 * time.Second); err != nil {
		t.Fatalf("after Resume: %v", err)
	}
}

func TestSharedServersAreShared(t *testing.T) {
	if a, b := testenv.Redis(t), testenv.Redis(t); a != b {
		t.Errorf("two shared Redis: %s and %s", a, b)
	}
	a, b := testenv.Mongo(t), testenv.Mongo(t)
	if a == b {
		t.Errorf("one database given out twice: %s", a)
	}
	if host := func(uri string) string { return strings.Split(uri, "/")[2] }; host(a) != host(b) {
		t.Errorf("two shared servers: %s and %s", a, b)
	}
}

// TestServersDieWithTheirParent runs this binary again as a child that starts
// both servers and is then killed.
func TestServersDieWithTheirParent(t *testing.T) {
	if os.Getenv(childEnv) != "" {
		fmt.Println("servers", testenv.StartRedis(t).Addr(), testenv.StartMongo(t).Addr())
		select {}
	}
	child := exec.Command(os.Args[0], "-test.run=^TestServersDieWithTheirParent$", "-test.v", "-test.timeout=1m")
	child.Env = append(os.Environ(), childEnv+"=1", "TMPDIR="+t.TempDir()) // it cannot clean up
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var addrs []string
	for lines := bufio.NewScanner(out); addrs == nil && lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "servers "); ok {
			addrs = strings.Fields(rest)
		}
	}
	if len(addrs) != 2 || !dial(t, addrs[0]) || !dial(t, addrs[1]) {
		t.Errorf("the child's servers %q do not answer", addrs)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	for _, addr := range addrs {
		deadline := time.Now().Add(10 * time.Second)
		for dial(t, addr) {
			if time.Now().After(deadline) {
				t.Fatalf("%s outlived the process that started it", addr)
			}
		}
	}
}

// TestFreeAddr: no address is handed out twice, nor one that the system gives to anybody.
func TestFreeAddr(t *testing.T) {
	seen := map[string]bool{}
	for range 100 {
		addr, err := testenv.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(addr)
		if n, _ := strconv.Atoi(port); err != nil || n < 12_000 || n >= 32_000 || seen[addr] {
			t.Errorf("%s: %v", addr, err)
		}
		seen[addr] = true
	}
}

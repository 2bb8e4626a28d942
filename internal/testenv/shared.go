package testenv

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

// Main wraps m so that the servers shared by the package's tests are stopped
// before Run returns. With goleak: goleak.VerifyTestMain(testenv.Main(m)).
func Main(m *testing.M) interface{ Run() int } { return main{m} }

type main struct{ m *testing.M }

func (w main) Run() int {
	defer sharedMongo.close()
	defer sharedRedis.close()
	return w.m.Run()
}

var (
	sharedRedis = &shared{kind: redis{}}
	sharedMongo = &shared{kind: mongo{}}
)

// shared is a server started when first asked for.
type shared struct {
	kind kind
	mu   sync.Mutex
	s    *Server
	err  error
}

func (h *shared) get(tb testing.TB) *Server {
	tb.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.s == nil && h.err == nil {
		h.s, h.err = newServer(h.kind)
	}
	if h.err != nil {
		tb.Fatalf("testenv: %v", h.err)
	}
	tb.Cleanup(func() { showLog(tb, h.s) })
	return h.s
}

func (h *shared) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.s != nil {
		h.s.close()
		h.s = nil
	}
}

func own(tb testing.TB, k kind) *Server {
	tb.Helper()
	s, err := newServer(k)
	if err != nil {
		tb.Fatalf("testenv: %v", err)
	}
	tb.Cleanup(func() {
		showLog(tb, s)
		s.close()
	})
	return s
}

func showLog(tb testing.TB, s *Server) {
	if text := s.log.String(); tb.Failed() && text != "" {
		tb.Logf("log of the server at %s:\n%s", s.addr, text)
	}
}

var names struct {
	sync.Mutex
	n int
}

// Name returns a name that no other test of this machine uses, good for a
// database or a key prefix: lower-case letters, digits and underscores.
func Name(tb testing.TB) string {
	tb.Helper()
	names.Lock()
	defer names.Unlock()
	names.n++
	return fmt.Sprintf("test_%x_%d", time.Now().UnixNano(), names.n)
}

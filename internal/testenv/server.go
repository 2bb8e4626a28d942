// Package testenv runs the real servers that tests talk to: redis-server and
// the MongoDB-protocol server of internal/devmongo, each a process of its own on
// a free loopback port, gone when the test or the test binary is.
//
// A test that only needs a server uses the shared ones, Redis and Mongo; its
// package's TestMain runs Main(m) to stop them. A test that kills, pauses or
// restarts servers starts its own with StartRedis and StartMongo.
package testenv

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startTimeout bounds how long a server may take to answer.
const startTimeout = 20 * time.Second

// A Server is one server process. Its address never changes: it comes back on
// the same port with the same data directory. Methods are for one goroutine.
type Server struct {
	kind  kind
	dir   string
	addr  string
	log   tail
	proc  *process
	after func() // removes the data directory
}

// kind is what distinguishes one server program from another.
type kind interface {
	// command returns the process to be started for addr, "" meaning any free
	// loopback port, with its data in dir.
	command(addr, dir string) (*exec.Cmd, error)
	// ready waits until the server answers, and returns its address.
	ready(addr string, out io.Reader, p *process) (string, error)
}

// Addr returns the host and port of the server.
func (s *Server) Addr() string { return s.addr }

// Start starts the server again after Kill or Stop.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.start(); err != nil {
		tb.Fatalf("testenv: %v\n%s", err, s.log.String())
	}
}

// Kill ends the server by SIGKILL, as a crash would.
func (s *Server) Kill() { s.end(syscall.SIGKILL) }

// Stop ends the server by SIGTERM, as an operator would.
func (s *Server) Stop() { s.end(syscall.SIGTERM) }

// Restart kills the server and starts it again.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Kill()
	s.Start(tb)
}

// Pause stops the process without closing its connections: the server hangs.
func (s *Server) Pause(tb testing.TB) { s.signal(tb, syscall.SIGSTOP) }

// Resume lets a paused server go on.
func (s *Server) Resume(tb testing.TB) { s.signal(tb, syscall.SIGCONT) }

func (s *Server) signal(tb testing.TB, sig syscall.Signal) {
	tb.Helper()
	if s.proc == nil {
		tb.Fatalf("testenv: %v to a server that does not run", sig)
	}
	if err := s.proc.cmd.Process.Signal(sig); err != nil {
		tb.Fatalf("testenv: %v: %v", sig, err)
	}
}

// newServer starts a server whose data lives in a directory of its own.
func newServer(k kind) (*Server, error) {
	dir, err := os.MkdirTemp("", "holdfast-test-")
	if err != nil {
		return nil, err
	}
	s := &Server{kind: k, dir: dir, after: sync.OnceFunc(func() { _ = os.RemoveAll(dir) })}
	if err := s.start(); err != nil {
		s.close()
		return nil, fmt.Errorf("%w\n%s", err, s.log.String())
	}
	return s, nil
}

func (s *Server) close() {
	s.Kill()
	s.after()
}

// start tries more than once: between picking a free port and binding it,
// another process may have taken it.
func (s *Server) start() error {
	if s.proc != nil {
		return nil
	}
	var err error
	for range 5 {
		if err = s.startOnce(); err == nil {
			return nil
		}
		s.Kill()
	}
	return err
}

func (s *Server) startOnce() error {
	cmd, err := s.kind.command(s.addr, s.dir)
	if err != nil {
		return err
	}
	var out io.Reader
	if s.proc, out, err = run(cmd, &s.log); err != nil {
		return err
	}
	addr, err := s.kind.ready(s.addr, out, s.proc)
	if err != nil {
		return fmt.Errorf("%s: %w", cmd.Path, err)
	}
	s.addr = addr
	return nil
}

func (s *Server) end(sig syscall.Signal) {
	if s.proc == nil {
		return
	}
	_ = s.proc.cmd.Process.Signal(sig)
	if sig != syscall.SIGKILL {
		select {
		case <-s.proc.done:
		case <-time.After(startTimeout):
			_ = s.proc.cmd.Process.Kill()
		}
	}
	<-s.proc.done
	s.proc = nil
}

// process is a started child.
type process struct {
	cmd  *exec.Cmd
	done chan struct{} // closed once the child has been waited for
}

// run starts cmd so that it cannot outlive this process: its standard input is a
// pipe we hold, and the kernel kills it where it can (see procAttr). Standard
// output is returned, both outputs are logged.
func run(cmd *exec.Cmd, log *tail) (*process, io.Reader, error) {
	out, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = io.MultiWriter(log, w), log
	cmd.SysProcAttr = procAttr()
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, nil, err
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel sends the parent-death signal when the thread that started the
		// child ends, not the process: keep that thread for as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
		}
		_ = w.Close()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	return p, out, nil
}

// tail keeps the last part of what a server has to say.
type tail struct {
	mu  sync.Mutex
	buf []byte
}

const tailBytes = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf = append(t.buf, p...)
	if extra := len(t.buf) - tailBytes; extra > 0 {
		t.buf = append(t.buf[:0], t.buf[extra:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.buf)
}

package cachetest

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// Holds runs one case and reports whether it passed, and if not, why. It does not
// fail t: it is for showing that a case notices a guard which is switched off.
func Holds(t testing.TB, name string, h Harness) (ok bool, why string) {
	t.Helper()
	for _, c := range Cases() {
		if c.Name != name {
			continue
		}
		r := &recorder{TB: t}
		done := make(chan struct{})
		go func() { // Fatalf ends the goroutine, which must not be that of t
			defer close(done)
			c.Run(r, h)
		}()
		<-done
		return !r.Failed(), strings.Join(r.faults, "; ")
	}
	t.Fatalf("there is no case %q", name)
	return false, ""
}

// recorder keeps what would have failed the test.
type recorder struct {
	testing.TB
	mu     sync.Mutex
	faults []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Error(args ...any) { r.Errorf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fatal(args ...any) { r.Fatalf("%s", fmt.Sprint(args...)) }
func (r *recorder) Fail()             { r.Errorf("failed") }
func (r *recorder) FailNow()          { r.Fatalf("failed") }

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.faults) > 0
}

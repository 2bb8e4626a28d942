package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
)

// processEnv makes the test binary an application with the SDK in it, configured
// by HOLDFAST_*, that answers questions on its standard input.
const processEnv = "HOLDFAST_E2E_PROCESS"

// question asks a process to read a flag, or to read flags all the time and say
// at the next question what was seen.
type question struct {
	ID      int
	Flag    string   // to read once
	Token   string   // to carry; "": none
	Watch   []string // to read all the time from now on
	Readers int      // by so many goroutines
	Report  bool     // say what the readers have seen so far
}

// reading is one read: the number that the value carries and where it is from.
type reading struct {
	Flag      string
	Number    int // -1: not a whole numbered value
	Token     string
	Freshness string
	Layer     string
}

// answer is what a process says to a question.
type answer struct {
	ID int
	reading
	Seen     []reading // by the readers, each flag once for each revision
	Reads    int
	Backward []string // reads that were older than the one before of the same reader
}

// numbered returns a value of about size bytes that carries its own number.
func numbered(n, size int) string {
	text := strconv.Itoa(n) + ":"
	return strings.Repeat(text, max(1, size/len(text)))
}

// numberOf returns the number that a value carries, -1 unless it is whole.
func numberOf(value string) int {
	digits, _, _ := strings.Cut(value, ":")
	n, err := strconv.Atoi(digits)
	if err != nil || value != numbered(n, len(value)) {
		return -1
	}
	return n
}

// application is the inside of a process.
type application struct {
	client *flags.Client

	mu       sync.Mutex
	seen     map[[2]string]reading // by flag and token
	reads    int
	backward []string
}

// serve answers questions until there are no more.
func serve(in io.Reader, out io.Writer) int {
	cfg, err := standard.FromEnv()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	cfg.Logger = textLogger(os.Stderr)
	client, err := standard.New(context.Background(), cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	a := &application{client: client, seen: map[[2]string]reading{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	var writing sync.Mutex
	answers := json.NewEncoder(out)
	for dec := json.NewDecoder(in); ; {
		var q question
		if dec.Decode(&q) != nil {
			break // the parent is done, or gone
		}
		for range q.Readers {
			running.Go(func() { a.watch(ctx, q.Watch) })
		}
		running.Go(func() {
			answer := a.answer(ctx, q)
			writing.Lock()
			defer writing.Unlock()
			_ = answers.Encode(answer) // a parent that does not listen any more closes our input, too
		})
	}
	cancel()
	running.Wait()
	client.Close()
	return 0
}

func (a *application) answer(ctx context.Context, q question) answer {
	out := answer{ID: q.ID}
	if q.Flag != "" {
		if t, err := flags.ParseToken(q.Token); err == nil {
			ctx = flags.AtLeast(ctx, t)
		}
		out.reading = a.read(a.client.View(ctx), q.Flag)
	}
	if q.Report {
		a.mu.Lock()
		defer a.mu.Unlock()
		for _, r := range a.seen {
			out.Seen = append(out.Seen, r)
		}
		out.Reads, out.Backward = a.reads, a.backward
	}
	return out
}

func (*application) read(v flags.View, flag string) reading {
	d := v.StringDetails(flag, flags.Entity("tenant-42"), "")
	return reading{Flag: flag, Number: numberOf(d.Value), Token: d.Token().String(), Freshness: d.Freshness.String(), Layer: d.Layer()}
}

// watch reads flags all the time.
func (a *application) watch(ctx context.Context, names []string) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	var floor flags.Version
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		view := a.client.View(ctx)
		token := view.Token()
		a.mu.Lock()
		a.reads += len(names)
		if token.Before(floor) {
			a.backward = append(a.backward, fmt.Sprintf("from %s to %s", floor, token))
		}
		floor = token.Version
		for _, name := range names {
			if at := [2]string{name, token.String()}; a.seen[at].Flag == "" {
				a.seen[at] = a.read(view, name) // of one snapshot, each flag has one value
			}
		}
		a.mu.Unlock()
	}
}

// process is an application from the outside. ask may be called concurrently.
type process struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	log *lockedBuffer

	mu      sync.Mutex
	asked   int
	waiting map[int]chan answer
}

// startProcess starts an application with env, e.g. HOLDFAST_PRIMARY=grpc://...
func startProcess(t *testing.T, env ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: exec.Command(os.Args[0]), log: &lockedBuffer{}, waiting: map[int]chan answer{}}
	p.cmd.Env = append(append(os.Environ(), processEnv+"=1"), env...)
	p.cmd.Stderr = p.log
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go p.listen(out)
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("application log:\n%s", p.log)
		}
	})
	return p
}

func (p *process) listen(out io.Reader) {
	for dec := json.NewDecoder(bufio.NewReaderSize(out, 1<<16)); ; {
		var a answer
		if dec.Decode(&a) != nil {
			break
		}
		p.mu.Lock()
		p.waiting[a.ID] <- a
		delete(p.waiting, a.ID)
		p.mu.Unlock()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, left := range p.waiting {
		close(left)
		delete(p.waiting, id)
	}
}

// ask returns the answer to q, or false if the process ended or did not answer.
func (p *process) ask(q question) (answer, bool) {
	got := make(chan answer, 1)
	p.mu.Lock()
	p.asked++
	q.ID = p.asked
	p.waiting[q.ID] = got
	err := json.NewEncoder(p.in).Encode(q)
	p.mu.Unlock()
	if err != nil {
		return answer{}, false
	}
	select {
	case a, ok := <-got:
		return a, ok
	case <-time.After(time.Minute):
		return answer{}, false
	}
}

// stop ends the process as its parent's end would. It is safe to call twice.
func (p *process) stop() {
	if p.cmd.ProcessState != nil {
		return
	}
	p.in.Close()
	late := time.AfterFunc(20*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer late.Stop()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("application: %v", err)
	}
}

// volume returns how often a scenario runs: many times with HOLDFAST_LONG.
func volume(short, long int) int {
	if os.Getenv("HOLDFAST_LONG") != "" {
		return long
	}
	return short
}

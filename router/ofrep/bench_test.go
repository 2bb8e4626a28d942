package ofrep_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/ofrep"
)

// benchBody is a context as applications send it.
const benchBody = `{"context":{"targetingKey":"tenant-4711","plan":"pro","country":"NZ","seats":30,"beta":true,"email":"someone@company.example","version":"2.4.1"}}`

// benchDefinitions are n flags: half static, half with the usual kinds of rules, of all types.
func benchDefinitions(n int) (defs []string) {
	rules := []string{
		`{"if":[{"==":[{"var":"plan"},"pro"]},"a"]}`,
		`{"if":[{"in":[{"var":"country"},["AU","NZ","FJ"]]},"a","b"]}`,
		`{"fractional":[["a",50],["b",50]]}`,
		`{"if":[{"and":[{"ends_with":[{"var":"email"},"@company.example"]},{">=":[{"var":"seats"},10]}]},"a"]}`,
		`{"if":[{"sem_ver":[{"var":"version"},">=","2.0.0"]},"a"]}`,
	}
	variants := []string{`"a":true,"b":false`, `"a":"red","b":"blue"`, `"a":10,"b":2.5`, `"a":{"limit":10,"burst":[1,2]},"b":{"limit":1}`}
	for i := range n {
		def := `{"variants":{` + variants[i%len(variants)] + `},"defaultVariant":"b","metadata":{"owner":"team-` + strconv.Itoa(i%7) + `"}`
		if i%2 == 1 {
			def += `,"targeting":` + rules[i/2%len(rules)]
		}
		defs = append(defs, fmt.Sprintf("feature-number-%03d", i), def+"}")
	}
	return defs
}

func benchRig(t testing.TB, n int) *rig {
	r := newRig(t, ofrep.Options{}, evaluator.Options{})
	r.put("default", benchDefinitions(n)...)
	w := r.metadata("default", "version", `"v12"`)
	r.all("", revision, w.String()) // from here on the set is held
	return r
}

// echo decodes the same request and answers with bytes that were made before.
type echo struct {
	answer []byte
	own    bool // decode as we do, instead of by encoding/json
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := e.decode(r); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(e.answer)))
	_, _ = w.Write(e.answer)
}

func (e *echo) decode(r *http.Request) error {
	var request struct{ Context map[string]any }
	if !e.own {
		return json.NewDecoder(r.Body).Decode(&request)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	_, err = flags.ParseValue(body)
	return err
}

// benchPaths are what is compared: one flag, a hundred flags.
var benchPaths = []struct{ name, path string }{{"one", bulk + "/feature-number-051"}, {"all100", bulk}}

func benchHandlers(t testing.TB) http.Handler {
	r := benchRig(t, 100)
	mux := http.NewServeMux()
	mux.Handle("/ofrep/", r)
	for _, p := range benchPaths {
		answer := record(r, newRequest(t, p.path, strings.NewReader(benchBody))).Body.Bytes()
		mux.Handle("/json"+p.path, &echo{answer: answer})
		mux.Handle("/own"+p.path, &echo{answer: answer, own: true})
	}
	mux.HandleFunc("/cpu", func(w http.ResponseWriter, _ *http.Request) {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		_, _ = fmt.Fprint(w, u.Utime.Nano()+u.Stime.Nano())
	})
	return mux
}

// benchChild in the environment makes this program the server that is measured.
const benchChild = "HOLDFAST_OFREP_BENCH_SERVER"

// serveForBenchmark serves until its standard input ends, if that is what was asked.
func serveForBenchmark() bool {
	if os.Getenv(benchChild) == "" {
		return false
	}
	testing.Benchmark(func(b *testing.B) { // for a testing.TB outside of tests
		lis, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		srv := &http.Server{Handler: benchHandlers(b)}
		go func() { _ = srv.Serve(lis) }()
		fmt.Println(lis.Addr())
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = srv.Close()
	})
	return true
}

// BenchmarkServerCPU compares what a request costs the server, system calls and all:
// the CPU time of a process of its own, asked over a few connections kept alive. x-json
// is the ratio to an echo that decodes by encoding/json, x-own to one that decodes as
// we do: medians of the ratios of neighbouring turns, which a busy machine slows alike.
func BenchmarkServerCPU(b *testing.B) {
	address := startBenchServer(b)
	for _, p := range benchPaths {
		b.Run(p.name, func(b *testing.B) {
			const rounds = 25
			var costs, text, own []float64
			for range rounds {
				cost := func(who string) float64 { return measure(b, address, who+p.path, max(b.N/rounds, 50)) }
				ours := cost("")
				costs, text, own = append(costs, ours), append(text, ours/cost("/json")), append(own, ours/cost("/own"))
			}
			b.ReportMetric(median(costs), "server-ns/op")
			b.ReportMetric(median(text), "x-json")
			b.ReportMetric(median(own), "x-own")
			b.ReportMetric(0, "ns/op") // of three servers together: says nothing
		})
	}
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func startBenchServer(b *testing.B) string {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), os.Args[0], "-test.benchtime=1x")
	cmd.Env = append(os.Environ(), benchChild+"=1")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(address)
}

// measure returns the server's CPU time for a request, in nanoseconds.
func measure(b *testing.B, address, path string, n int) float64 {
	b.Helper()
	const conns = 4
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(benchBody), benchBody)
	var work sync.WaitGroup
	each := n/conns + 1
	before := serverCPU(b, address)
	for range conns {
		work.Go(func() {
			c, err := (&net.Dialer{}).DialContext(b.Context(), "tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			in := bufio.NewReaderSize(c, 64<<10)
			for range each {
				if _, err := c.Write(request); err != nil {
					b.Error(err)
					return
				}
				if err := skipResponse(in); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
	return float64(serverCPU(b, address)-before) / float64(conns*each)
}

// skipResponse reads an answer of 200 with as little work as can be.
func skipResponse(in *bufio.Reader) error {
	length := -1
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && !bytes.Contains(line, []byte(" 200 ")):
			return fmt.Errorf("answer %q", line)
		case len(line) == 2:
			_, err = in.Discard(length)
			return err
		}
		if rest, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(rest)))
		}
	}
}

func serverCPU(b *testing.B, address string) int64 {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+address+"/cpu", nil)
	if err != nil {
		b.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

// BenchmarkHandler is the handlers alone, without net/http around them.
func BenchmarkHandler(b *testing.B) {
	h := benchHandlers(b)
	for _, p := range benchPaths {
		for _, who := range []string{"/ofrep", "/json", "/own"} {
			b.Run(p.name+who, func(b *testing.B) {
				b.ReportAllocs()
				run := replay(b, h, strings.TrimPrefix(who, "/ofrep")+p.path)
				for b.Loop() {
					run()
				}
			})
		}
	}
}

// replay returns a function that has a request served, without memory of its own.
func replay(t testing.TB, h http.Handler, path string) func() {
	body := strings.NewReader(benchBody)
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, body)
	req.Body = io.NopCloser(body)
	w := &sink{header: http.Header{}}
	return func() {
		body.Reset(benchBody)
		h.ServeHTTP(w, req)
	}
}

// sink is a ResponseWriter that keeps nothing.
type sink struct{ header http.Header }

func (s *sink) Header() http.Header         { return s.header }
func (s *sink) Write(p []byte) (int, error) { return len(p), nil }
func (s *sink) WriteHeader(int)             {}

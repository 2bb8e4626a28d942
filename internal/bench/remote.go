package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
)

// serveEnv has this program be the server whose CPU time is measured.
const serveEnv = "HOLDFAST_BENCH_SERVE"

const cpuPath = "/cpu"

// remotes shows what it costs the router to evaluate for somebody else, beside servers
// that decode the same request on the same stack and answer the same bytes.
func remotes(ctx context.Context) error {
	if err := resolves(ctx, 15, 1500); err != nil {
		return err
	}
	return packageBenchmark(ctx, "router/ofrep", "BenchmarkServerCPU", "10500x")
}

// resolves compares ResolveBoolean of a flag with a rule.
func resolves(ctx context.Context, rounds, requests int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the server
	router, echo, err := startRemote(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\nserver CPU of ResolveBoolean, all system calls included; median of %d rounds of %d requests over %d connections\n\n", rounds, requests, remoteConns)
	fmt.Printf("| %-22s | %9s | %9s | %6s |\n", "protocol", "router us", "echo us", "ratio")
	fmt.Println("|------------------------|----------:|----------:|-------:|")
	for _, p := range []struct {
		name string
		h2   bool
		opts []connect.ClientOption
	}{
		{"gRPC", true, []connect.ClientOption{connect.WithGRPC()}},
		{"Connect JSON, HTTP/1.1", false, []connect.ClientOption{connect.WithProtoJSON()}},
	} {
		callers := [2]*caller{newCaller(router, p.h2, p.opts...), newCaller(echo, p.h2, p.opts...)}
		var costs [2][]float64
		var ratios []float64
		for i := range rounds + 1 {
			var last [2]float64
			for turn := range 2 {
				j := (turn + i) % 2
				if last[j], err = callers[j].measure(ctx, echo, requests); err != nil {
					return err
				}
			}
			if i > 0 { // the first one opens connections
				costs[0], costs[1], ratios = append(costs[0], last[0]), append(costs[1], last[1]), append(ratios, last[0]/last[1])
			}
		}
		for _, c := range callers {
			c.close()
		}
		fmt.Printf("| %-22s | %9.1f | %9.1f | %5.2fx |\n", p.name, median(costs[0])/1000, median(costs[1])/1000, median(ratios))
	}
	return nil
}

// startRemote starts the server's process and returns where the router and the echo are.
func startRemote(ctx context.Context) (router, echo string, err error) {
	exe, err := os.Executable()
	if err != nil {
		return "", "", err
	}
	cmd := exec.CommandContext(ctx, exe)
	cmd.Env, cmd.Stderr = append(os.Environ(), serveEnv+"=1"), os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // which ends with this process at the latest
		return "", "", err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", "", err
	}
	if err := cmd.Start(); err != nil {
		return "", "", err
	}
	go func() { _ = cmd.Wait() }() // which the context ends
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return "", "", fmt.Errorf("the server did not start: %w", err)
	}
	router, echo, _ = strings.Cut(strings.TrimSpace(line), " ")
	return router, echo, nil
}

// serveRemote is that process: a router, and an echo that has seen what the router answers.
func serveRemote(ctx context.Context) error {
	c, err := routerCrowd(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	first := newCaller(c.evalAddr, true, connect.WithGRPC())
	defer first.close()
	answer, err := first.clients[0].ResolveBoolean(ctx, resolveRequest())
	if err != nil {
		return err
	}
	if !answer.Msg.GetValue() || answer.Msg.GetReason() != "TARGETING_MATCH" {
		return fmt.Errorf("the router answers %v", answer.Msg)
	}
	mux := http.NewServeMux()
	mux.Handle(evalpb.ServiceResolveBooleanProcedure, connect.NewUnaryHandler(evalpb.ServiceResolveBooleanProcedure,
		func(context.Context, *connect.Request[evalpb.ResolveBooleanRequest]) (*connect.Response[evalpb.ResolveBooleanResponse], error) {
			return connect.NewResponse(answer.Msg), nil
		}, connect.WithCompressMinBytes(1<<10)))
	mux.HandleFunc(cpuPath, func(w http.ResponseWriter, _ *http.Request) {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		_, _ = fmt.Fprint(w, u.Utime.Nano()+u.Stime.Nano())
	})
	lis, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := h2cServer(mux)
	go func() { _ = server.Serve(lis) }() // ends with Close
	fmt.Println(c.evalAddr, lis.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, server.Close())
}

func resolveRequest() *connect.Request[evalpb.ResolveBooleanRequest] {
	req := connect.NewRequest(&evalpb.ResolveBooleanRequest{FlagKey: "one-rule", Context: &structpb.Struct{Fields: map[string]*structpb.Value{
		"targetingKey": structpb.NewStringValue("tenant-0999"), "plan": structpb.NewStringValue("pro"),
		"country": structpb.NewStringValue("NZ"), "version": structpb.NewStringValue("1.2.3"), "seats": structpb.NewNumberValue(30),
	}}})
	req.Header().Set("Flagd-Selector", "flagSetId=bench")
	return req
}

// remoteConns is how many connections ask at the same time.
const remoteConns = 4

// caller asks one server over several connections.
type caller struct {
	pools   []*http.Transport
	clients []evalpb.ServiceClient
}

func newCaller(addr string, h2 bool, opts ...connect.ClientOption) *caller {
	c := &caller{}
	for range remoteConns {
		pool := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
		pool.Protocols.SetHTTP1(!h2)
		pool.Protocols.SetUnencryptedHTTP2(h2)
		c.pools = append(c.pools, pool)
		c.clients = append(c.clients, evalpb.NewServiceClient(&http.Client{Transport: pool}, "http://"+addr, opts...))
	}
	return c
}

func (c *caller) close() {
	for _, pool := range c.pools {
		pool.CloseIdleConnections()
	}
}

// measure returns the server's CPU time for a request, in nanoseconds.
func (c *caller) measure(ctx context.Context, cpuAddr string, requests int) (float64, error) {
	each := requests/len(c.clients) + 1
	before, err := serverCPU(ctx, cpuAddr)
	if err != nil {
		return 0, err
	}
	failed := make(chan error, len(c.clients))
	var asking sync.WaitGroup
	for _, client := range c.clients {
		asking.Go(func() {
			for range each {
				if _, err := client.ResolveBoolean(ctx, resolveRequest()); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	asking.Wait()
	select {
	case err := <-failed:
		return 0, err
	default:
	}
	after, err := serverCPU(ctx, cpuAddr)
	return (after - before) / float64(each*len(c.clients)), err
}

func serverCPU(ctx context.Context, addr string) (float64, error) {
	text, err := fetch(ctx, "http://"+addr+cpuPath)
	if err != nil {
		return 0, err
	}
	return strconv.ParseFloat(text, 64)
}

func fetch(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

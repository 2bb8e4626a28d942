package main

import (
	"context"
	"fmt"

	"connectrpc.com/connect"
)

// everybody returns the clients of the day.
func everybody(node, page *host) []guest {
	var (
		// What each kind of clients is known to do, by its own code.
		rpc     = client{kinds: []string{"rpc"}, lost: []string{stale, failed}, found: []string{ready}, away: "FLAG_NOT_FOUND"}
		cached  = client{kinds: []string{"rpc"}, lost: []string{stale, failed}, found: []string{ready}, away: "FLAG_NOT_FOUND", caches: true}
		process = client{kinds: []string{"in-process"}, lost: []string{stale, failed}, found: []string{ready}}
		ofrep   = client{kinds: []string{"ofrep"}, noEvents: true, away: "GENERAL"}
		web     = client{kinds: []string{"flagd-web", "v1"}, noMetadata: true, keyless: true}
		bulk    = client{kinds: []string{"ofrep-web"}, bulk: true, lost: []string{stale}}
		fetch   = client{kinds: []string{"v2"}, noEvents: true, away: "GENERAL"}
		v2      = client{kinds: []string{"v2"}, lost: []string{shutdown, stale}, found: []string{ready}, away: "GENERAL", integers: true}
		v1      = client{kinds: []string{"v1"}, lost: []string{shutdown, stale}, found: []string{ready}, away: "GENERAL", integers: true}
	)
	polling := bulk
	polling.quiet = func(ctx context.Context) error { return quiet(ctx, remote{page, "ofrep-web, polling"}) }

	var guests []guest
	add := func(name, set string, c client, b backend) {
		c.name, c.set, c.backend = name, set, b
		guests = append(guests, &c)
	}
	js := func(h *host, name, set string, c client) { add(name, set, c, remote{h, name}) }
	js(node, "flagd rpc, cache", "default", cached)
	js(node, "flagd rpc, no cache", "default", rpc)
	js(node, "flagd rpc, selector", "other", cached)
	js(node, "flagd in-process", "default", process)
	js(node, "flagd in-process, selector", "other", process)
	js(node, "ofrep", "default", ofrep)
	js(node, "ofrep, selector", "other", ofrep)
	js(page, "flagd-web", "default", web)
	js(page, "flagd-web, selector", "other", web)
	js(page, "ofrep-web, events", "default", bulk)
	js(page, "ofrep-web, polling", "default", polling)
	js(page, "ofrep-web, selector", "other", bulk)
	js(page, "gRPC-Web by fetch", "default", fetch)
	add("connect-go", "default", v2, &rpcClient{dial: connectDial("")})
	add("connect-go, JSON, selector", "other", v2, &rpcClient{dial: connectDial("source=other", connect.WithProtoJSON())})
	add("grpc-go", "default", v2, &rpcClient{dial: grpcDial("flagd.evaluation.v2", "")})
	add("grpc-go, evaluation.v1", "default", v1, &rpcClient{dial: grpcDial("flagd.evaluation.v1", "")})
	add("grpc-go, schema.v1, selector", "other", v1, &rpcClient{dial: grpcDial("schema.v1", "other")})
	return append(guests,
		&source{name: "grpc-go, sync.v1", set: "default"},
		&source{name: "grpc-go, sync.v1, selector", set: "other", selector: "flagSetId=other"},
	)
}

// keyHolders returns the clients of a day with API keys: those of pages, which follow their
// sets by tickets, as a browser's EventSource sends no headers.
func keyHolders(page *host) []guest {
	holder := func(name, set string) guest {
		return &client{name: name, set: set, backend: remote{page, name}, kinds: []string{"ofrep-web"}, bulk: true, lost: []string{stale}}
	}
	return []guest{holder("ofrep-web, key", "default"), holder("ofrep-web, key, selector", "other")}
}

// remote is a client in JavaScript.
type remote struct {
	host *host
	name string
}

func (c remote) Connect(ctx context.Context, at addresses) error {
	return c.host.call(ctx, c.name, "connect", at, nil)
}

func (c remote) Ask(ctx context.Context, who map[string]any, questions []question) ([]answer, error) {
	if who == nil {
		who = map[string]any{}
	}
	var answers []answer
	err := c.host.call(ctx, c.name, "ask", map[string]any{"context": who, "questions": questions}, &answers)
	if err == nil && len(answers) != len(questions) {
		err = fmt.Errorf("%d answers to %d questions", len(answers), len(questions))
	}
	return answers, err
}

func (c remote) Mark(ctx context.Context) error { return c.host.call(ctx, c.name, "mark", nil, nil) }

func (c remote) Await(ctx context.Context, event, flag string) error {
	return c.host.call(ctx, c.name, "await", map[string]any{"type": event, "flag": flag}, nil)
}

// quiet waits until a polling client was told three times that nothing is new,
// and fails if that made it say that something is.
func quiet(ctx context.Context, c remote) error {
	// A poll from before may still be under way; the first of these is after it.
	if err := notModified(ctx, c, 1); err != nil {
		return err
	}
	if err := c.Mark(ctx); err != nil {
		return err
	}
	if err := notModified(ctx, c, 3); err != nil {
		return err
	}
	var log []struct{ Type string }
	if err := c.host.call(ctx, c.name, "log", nil, &log); err != nil {
		return err
	}
	if len(log) > 0 {
		return fmt.Errorf("events %v", log)
	}
	return nil
}

// notModified waits until so many polls more were answered by 304.
func notModified(ctx context.Context, c remote, more int) error {
	before := -1
	return eventually(ctx, func(ctx context.Context) error {
		var n int
		err := c.host.call(ctx, c.name, "notModified", nil, &n)
		if before < 0 {
			before = n
		}
		if err == nil && n < before+more {
			err = fmt.Errorf("%d polls answered by 304", n-before)
		}
		return err
	})
}

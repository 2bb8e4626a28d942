package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	evalpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	syncpb "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
	"github.com/holdfast-flags/holdfast/router"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// crowd is clients of one router by both of flagd's protocols, each on a connection of
// its own over gRPC: some are sent whole definitions, the others what has changed.
type crowd struct {
	syncAddr, evalAddr, opsAddr string
	publish                     func() error
	stop                        func()
	conns                       []*grpc.ClientConn
	documents, events           arrivals
}

// routerCrowd is that of a router, as it is.
func routerCrowd(ctx context.Context) (*crowd, error) {
	texts, floor := definitions()
	fill(texts, floor, syncFlags)
	st := memstore.New(nil)
	if _, err := st.Apply(ctx, commitOf(texts)); err != nil {
		return nil, err
	}
	on, err := listeners(ctx)
	if err != nil {
		return nil, err
	}
	r := router.New(router.Options{Store: st, DrainTimeout: time.Second})
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- r.Serve(serving, on) }()
	n := 0
	c := &crowd{
		syncAddr: on.GRPC.Addr().String(), evalAddr: on.Eval.Addr().String(), opsAddr: on.Ops.Addr().String(),
		publish: func() error {
			n++
			_, err := st.Apply(ctx, toggle(n))
			return err
		},
		stop: func() { stop(); <-ended },
	}
	return c, c.publish() // from here on the flag is there
}

func listeners(ctx context.Context) (router.Listeners, error) {
	var on router.Listeners
	for _, l := range []*net.Listener{&on.GRPC, &on.Eval, &on.Ops} {
		opened, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return on, err
		}
		*l = opened
	}
	return on, nil
}

// follower opens a stream and returns what receives the next message that counts: the
// first one says that the stream is open, each of the others what a toggle did.
type follower func(context.Context, *grpc.ClientConn) (func() (proto.Message, error), error)

// followers are the protocols, by the name that headEnv has for them.
var followers = map[string]follower{"sync": followDocuments, "events": followEvents}

func followDocuments(ctx context.Context, conn *grpc.ClientConn) (func() (proto.Message, error), error) {
	stream, err := syncpb.NewFlagSyncServiceClient(conn).SyncFlags(ctx, &syncpb.SyncFlagsRequest{ProviderId: "bench", Selector: "bench"})
	if err != nil {
		return nil, err
	}
	return func() (proto.Message, error) { return stream.Recv() }, nil
}

func followEvents(ctx context.Context, conn *grpc.ClientConn) (func() (proto.Message, error), error) {
	ctx = metadata.AppendToOutgoingContext(ctx, "flagd-selector", "flagSetId=bench")
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, evalpb.ServiceEventStreamProcedure)
	if err != nil {
		return nil, err
	}
	if err := stream.SendMsg(&evalpb.EventStreamRequest{}); err != nil {
		return nil, err
	}
	return func() (proto.Message, error) {
		for {
			m := &evalpb.EventStreamResponse{}
			if err := stream.RecvMsg(m); err != nil || m.GetType() != "keep_alive" {
				return m, err
			}
		}
	}, stream.CloseSend()
}

func (c *crowd) dial(addr string) (*grpc.ClientConn, error) {
	conn, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err == nil {
		c.conns = append(c.conns, conn)
	}
	return conn, err
}

// connect opens the streams of so many clients of each protocol.
func (c *crowd) connect(ctx context.Context, clients int) error {
	for _, p := range []struct {
		addr   string
		follow follower
		*arrivals
	}{{c.syncAddr, followDocuments, &c.documents}, {c.evalAddr, followEvents, &c.events}} {
		p.expect(clients)
		for range clients {
			conn, err := c.dial(p.addr)
			if err != nil {
				return err
			}
			next, err := p.follow(ctx, conn)
			if err != nil {
				return err
			}
			go func() {
				for {
					if _, err := next(); err != nil {
						return
					}
					p.note()
				}
			}()
		}
		p.due.Wait()
	}
	return nil
}

// round toggles once and returns the p99 of the times to the clients of each protocol.
func (c *crowd) round(clients int) (documents, events float64, err error) {
	c.documents.expect(clients)
	c.events.expect(clients)
	if err := c.publish(); err != nil {
		return 0, 0, err
	}
	return c.documents.p99(), c.events.p99(), nil
}

// sample returns what a client of each protocol is sent after a toggle.
func (c *crowd) sample(ctx context.Context) (document, event proto.Message, err error) {
	var next [2]func() (proto.Message, error)
	for i, follow := range []follower{followDocuments, followEvents} {
		conn, err := c.dial([]string{c.syncAddr, c.evalAddr}[i])
		if err != nil {
			return nil, nil, err
		}
		if next[i], err = follow(ctx, conn); err != nil {
			return nil, nil, err
		}
		if _, err := next[i](); err != nil {
			return nil, nil, err
		}
	}
	defer c.dismiss()
	if err := c.publish(); err != nil {
		return nil, nil, err
	}
	if document, err = next[0](); err != nil {
		return nil, nil, err
	}
	event, err = next[1]()
	return document, event, err
}

// encodings returns how many definitions the router has encoded.
func (c *crowd) encodings(ctx context.Context) (float64, error) {
	text, err := fetch(ctx, "http://"+c.opsAddr+"/metrics")
	if err != nil {
		return 0, err
	}
	const name = `holdfast_sync_encodings_total{set="bench"} `
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

// dismiss closes the clients' connections; the server stays.
func (c *crowd) dismiss() {
	for _, conn := range c.conns {
		_ = conn.Close() // nothing was written
	}
	c.conns = nil
}

func (c *crowd) close() {
	c.dismiss()
	c.stop()
}

// connectedCrowd is the process of clients that follow by one protocol. It ends with its
// standard input.
func connectedCrowd(ctx context.Context, follow follower, addr string, clients int) error {
	c := &crowd{}
	for range clients {
		conn, err := c.dial(addr)
		if err != nil {
			return err
		}
		next, err := follow(ctx, conn)
		if err != nil {
			return err
		}
		if _, err := next(); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

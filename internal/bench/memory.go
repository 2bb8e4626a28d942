package main

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"

	"google.golang.org/protobuf/proto"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
	"github.com/holdfast-flags/holdfast/internal/pb/wire"
)

// connectEnv and headEnv have this program open streams to an address, say that it
// has the head, or speak the protocol of that name, and wait: so that the memory of clients is not counted with that of
// the server.
const (
	connectEnv = "HOLDFAST_BENCH_CONNECT"
	headEnv    = "HOLDFAST_BENCH_HEAD"
)

// connected is the process of such clients. It ends with its standard input.
func connected(ctx context.Context, addr, head string, clients int) error {
	if f := followers[head]; f != nil {
		return connectedCrowd(ctx, f, addr, clients)
	}
	encoded, err := hex.DecodeString(head)
	if err != nil {
		return err
	}
	var m pb.Head
	if err := proto.Unmarshal(encoded, &m); err != nil {
		return err
	}
	have, err := wire.ToHead(&m)
	if err != nil {
		return err
	}
	f := &fleet{}
	for range clients {
		stream, err := f.follow(ctx, addr, have)
		if err != nil {
			return err
		}
		if _, err := stream.Recv(); err != nil {
			return err
		}
	}
	fmt.Println("connected")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// memories shows what a connected client costs the server, beside a bare stream.
func memories(ctx context.Context, clients int) error {
	var costs [2]float64
	for i, bare := range []bool{false, true} {
		f, head := bareFleet(), flags.Head{}
		if !bare {
			var err error
			if f, head, err = holdfastFleet(ctx); err != nil {
				return err
			}
		}
		per, err := f.memory(ctx, clients, head)
		if err != nil {
			return err
		}
		costs[i] = per
	}
	fmt.Printf("a connected client holds %.1f KiB in the server, bare grpc-go %.1f KiB, %.2fx\n", costs[0]/1024, costs[1]/1024, costs[0]/costs[1])
	return nil
}

// memory returns the bytes that one client of a fleet in another process costs.
func (f *fleet) memory(ctx context.Context, clients int, head flags.Head) (float64, error) {
	if err := f.connect(ctx, 1, head); err != nil { // what the first one brings about is not the others'
		return 0, err
	}
	defer f.close()
	encoded, err := proto.Marshal(wire.FromHead(head))
	if err != nil {
		return 0, err
	}
	return held(ctx, f.conns[0].Target(), hex.EncodeToString(encoded), clients)
}

// held returns the bytes that each of so many clients costs this process, which come
// to the address from another one.
func held(ctx context.Context, addr, head string, clients int) (float64, error) {
	before := inUse()
	exe, err := os.Executable()
	if err != nil {
		return 0, err
	}
	child := exec.CommandContext(ctx, exe, "-clients", strconv.Itoa(clients))
	child.Env = append(os.Environ(), connectEnv+"="+addr, headEnv+"="+head)
	child.Stderr = os.Stderr
	stdin, err := child.StdinPipe()
	if err != nil {
		return 0, err
	}
	stdout, err := child.StdoutPipe()
	if err != nil {
		return 0, err
	}
	if err := child.Start(); err != nil {
		return 0, err
	}
	if _, err := stdout.Read(make([]byte, 1)); err != nil { // all of them are connected
		return 0, err
	}
	per := float64(inUse()-before) / float64(clients)
	_ = stdin.Close() // which is what the child waits for
	_ = child.Wait()
	return per, nil
}

// inUse returns the memory of heap and stacks after what is garbage was collected.
func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

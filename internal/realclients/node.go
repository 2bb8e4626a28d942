package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

// node is a Node process with the providers for servers.
type node struct {
	*host
	in  io.Closer
	cmd *exec.Cmd
	log tail
}

func startNode(ctx context.Context, dir string) (*node, error) {
	n := &node{host: &host{}, cmd: exec.CommandContext(ctx, "node", filepath.Join(dir, "js", "node.mjs"))}
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "FLAGD_") { // would be taken for configuration
			n.cmd.Env = append(n.cmd.Env, v)
		}
	}
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	n.cmd.Stderr = &n.log
	in, err := n.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	var writing sync.Mutex
	n.in = in
	n.send = func(data []byte) error {
		writing.Lock()
		defer writing.Unlock()
		_, err := in.Write(append(data, '\n'))
		return err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		lines := bufio.NewScanner(out)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if err := n.received(lines.Bytes()); err != nil {
				_, _ = fmt.Fprintln(&n.log, err)
			}
		}
		n.end(fmt.Errorf("node ended:\n%s", &n.log))
	}()
	return n, nil
}

// close ends the process.
func (n *node) close() {
	_ = n.in.Close()
	_ = n.cmd.Process.Kill() // its streams would keep it
	_ = n.cmd.Wait()
}

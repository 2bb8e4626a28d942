// Command flagrouter stores feature flags and serves them: to SDKs as streams,
// to mirrors and caches, and to people as a page.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// Once the first signal is here the next one acts as if nobody caught it.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], stdio{env: os.Getenv, out: os.Stdout, err: os.Stderr, terminal: isTerminal(os.Stderr)}))
}

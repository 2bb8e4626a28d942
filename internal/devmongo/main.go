// Command devmongo is a small MongoDB-protocol server for tests and the demo:
// FerretDB embedded, its state in SQLite files. It is no production database:
// synchronous writes are off, so it survives being killed but not a power cut.
//
// When ready it prints its URI as the only line on standard output.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

// stopGrace is how long open connections may delay the end.
const stopGrace = 2 * time.Second

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "loopback address to listen on; port 0 picks a free one")
	dir := flag.String("dir", "", "directory that keeps the data; empty: a temporary one, removed at the end")
	withStdin := flag.Bool("exit-with-stdin", false, "end when standard input closes, as it does when the parent dies")
	verbose := flag.Bool("verbose", false, "log what the server does, not only its errors")
	flag.Parse()

	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	if *withStdin {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	level := slog.LevelError
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	if err := serve(ctx, *listen, *dir, log); err != nil {
		fmt.Fprintln(os.Stderr, "devmongo:", err)
		os.Exit(1)
	}
}

func serve(ctx context.Context, listen, dir string, log *slog.Logger) error {
	if err := checkLoopback(listen); err != nil {
		return err
	}
	dir, cleanup, err := dataDir(dir)
	if err != nil {
		return err
	}
	defer cleanup()

	state := url.URL{Scheme: "file", Path: dir + "/", OmitHost: true, RawQuery: "_pragma=synchronous(off)"}
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: listen},
		Logger:    log,
		Handler:   "sqlite",
		SQLiteURL: state.String(),
	})
	if err != nil {
		return fmt.Errorf("cannot serve on %s: %w", listen, err)
	}
	done := make(chan error, 1)
	go func() { done <- db.Run(ctx) }()
	fmt.Println(db.MongoDBURI())

	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done:
		return err
	case <-time.After(stopGrace):
		return nil // a client that keeps its connection open is no reason to stay
	}
}

// checkLoopback refuses addresses that others could reach: the server asks for
// no credentials.
func checkLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return errors.New("--listen: only loopback addresses, such as 127.0.0.1:0: the server has no access control")
	}
	return nil
}

// dataDir returns an existing absolute directory and what removes it, if it is
// a temporary one.
func dataDir(dir string) (string, func(), error) {
	if dir == "" {
		tmp, err := os.MkdirTemp("", "devmongo-")
		return tmp, func() { _ = os.RemoveAll(tmp) }, err
	}
	abs, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(abs, 0o700)
	}
	return abs, func() {}, err
}

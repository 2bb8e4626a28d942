package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// stdio is what the process has around it, so that tests may bring their own.
type stdio struct {
	env      func(string) string
	out, err io.Writer
	terminal bool // err is one
}

// run is the command: it returns the exit code once ctx has ended and the
// router is down.
func run(ctx context.Context, args []string, std stdio) int {
	cfg, err := parse(args, std.env)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		_, _ = io.WriteString(std.out, usage()) // nobody to tell
		return exitOK
	case err != nil:
		return complain(std.err, exitUsage, err)
	case cfg.printVersion:
		_, _ = fmt.Fprintln(std.out, "flagrouter", cmp.Or(version(), "unknown")) // nobody to tell
		return exitOK
	}
	log := newLogger(cfg, std)
	catchLogs(log)
	err = serve(ctx, cfg, std.out, log)
	var bad *configError
	switch {
	case errors.As(err, &bad):
		return complain(std.err, exitUsage, err)
	case err != nil:
		return complain(std.err, exitFailed, err)
	}
	return exitOK
}

// configError is what is wrong with the configuration and shows only when it is
// put to use.
type configError struct{ err error }

func (e *configError) Error() string { return e.err.Error() }
func (e *configError) Unwrap() error { return e.err }

// complain prints an error as one line.
func complain(w io.Writer, code int, err error) int {
	line := strings.Join(strings.Fields(err.Error()), " ")
	_, _ = fmt.Fprintln(w, "flagrouter:", line) // nobody to tell
	return code
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/boltstore"
)

func TestMain(m *testing.M) {
	testscript.Main(testenv.Main(m), map[string]func(){
		"flagctl": main,
		"newstore": func() { // newstore PATH [SET]: what a router leaves behind
			if err := newStore(os.Args[1:]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

func newStore(args []string) error {
	st, err := boltstore.Open(args[0], nil)
	if err != nil {
		return err
	}
	if len(args) > 1 {
		if _, err := st.Apply(context.Background(), flags.Commit{Set: args[1], ID: flags.NewCommitID(), Op: flags.OpCreate, Actor: flags.Actor{Kind: "system"}}); err != nil {
			return err
		}
	}
	return st.Close()
}

// TestScripts runs each file of testdata/script as a user's session on a journal of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   wantCode,
			"repeat": repeatText,
			"redis":  func(ts *testscript.TestScript, neg bool, args []string) { redisDo(t, ts, neg, args) },
		},
		Setup: func(env *testscript.Env) error {
			env.Setenv("USER", "tester")
			// Built for races, each of the many processes would sleep a second before it exits.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			env.Setenv("HOLDFAST_STORE", "bolt:"+env.WorkDir+"/flags.db")
			return nil
		},
	})
}

// wantCode is the script command: code N PROGRAM ARGS..., which must exit with N.
func wantCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N PROGRAM ARGS...")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if want := args[0]; strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s", got, want)
	}
}

// repeatText is the script command: repeat FILE BEGIN TEXT N END, which writes a file
// of N times TEXT between BEGIN and END.
func repeatText(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: repeat FILE BEGIN TEXT N END")
	}
	n, err := strconv.Atoi(args[3])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+strings.Repeat(args[2], n)+args[4]), 0o600))
}

// redisDo is the script command: redis [COMMAND ARGS...], which sends a command to a
// Redis. The first one makes it the cache of the session, at the prefix $PREFIX.
func redisDo(t *testing.T, ts *testscript.TestScript, neg bool, args []string) {
	addr := testenv.Redis(t)
	if ts.Getenv("PREFIX") == "" {
		prefix := testenv.Name(t)
		ts.Setenv("PREFIX", prefix)
		ts.Setenv("HOLDFAST_CACHE", "redis://"+addr+"?prefix="+prefix)
	}
	if len(args) == 0 {
		return
	}
	client := redis.NewClient(&redis.Options{Addr: addr, DisableIdentity: true})
	defer func() { _ = client.Close() }()
	words := make([]any, len(args))
	for i, a := range args {
		words[i] = a
	}
	if err := client.Do(t.Context(), words...).Err(); (err != nil) != neg {
		ts.Fatalf("redis %v: %v", args, err)
	}
}

package flags_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// hookLog notes the calls of hooks, in order.
type hookLog struct {
	mu    sync.Mutex
	calls []string
}

func (l *hookLog) add(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls = append(l.calls, fmt.Sprintf(format, args...))
}

func (l *hookLog) take() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls
	l.calls = nil
	return calls
}

// hook returns a hook that notes what it is called for under its name.
func (l *hookLog) hook(name string) flags.Hook {
	return flags.Hook{
		Before: func(context.Context, flags.HookedRead) (flags.EvaluationContext, error) {
			l.add("before %s", name)
			return flags.EvaluationContext{}, nil
		},
		After: func(_ context.Context, _ flags.HookedRead, d flags.FlagDetails) error {
			l.add("after %s %s=%s", name, d.Key, d.Value)
			return nil
		},
		Error: func(_ context.Context, _ flags.HookedRead, err error) { l.add("error %s: %v", name, err) },
		Finally: func(_ context.Context, _ flags.HookedRead, d flags.FlagDetails) {
			l.add("finally %s %s", name, d.Reason)
		},
	}
}

// hookedClient follows a set of a few flags, with hooks around its reads.
func hookedClient(t *testing.T, logger *slog.Logger, hooks ...flags.Hook) *flags.Client {
	t.Helper()
	st := memstore.New(nil)
	t.Cleanup(func() { _ = st.Close() })
	_, err := st.Apply(t.Context(), flags.Commit{Set: "default", Op: flags.OpCreate, ID: flags.NewCommitID(), Changes: []flags.Mutation{
		putFlag("flag", onOff(`{"if":[{"==":[{"var":"plan"},"pro"]},"on","off"]}`)),
		putFlag("text", `{"defaultVariant":"a","variants":{"a":"red"}}`),
		putFlag("number", `{"defaultVariant":"a","variants":{"a":7}}`),
		putFlag("object", `{"defaultVariant":"a","variants":{"a":{"size":1}}}`),
		putFlag("disabled", `{"state":"DISABLED","variants":{"on":true}}`),
	}})
	if err != nil {
		t.Fatal(err)
	}
	client, err := flags.New(t.Context(), flags.Options{Primary: flags.Layer{Source: st, Watcher: st}, Hooks: hooks, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	if err := client.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return client
}

func TestHooksRunInOrderAndInReverse(t *testing.T) {
	var log hookLog
	client := hookedClient(t, nil, log.hook("1"), flags.Hook{}, log.hook("2"))
	pro := flags.Entity("e", flags.String("plan", "pro"))
	for _, tt := range []struct {
		name string
		read func() any
		got  any
		want []string
	}{
		{"resolved", func() any { return client.Bool(t.Context(), "flag", pro, false) }, true,
			[]string{"before 1", "before 2", "after 2 flag=true", "after 1 flag=true", "finally 2 TARGETING_MATCH", "finally 1 TARGETING_MATCH"}},
		{"disabled is no error", func() any { return client.Bool(t.Context(), "disabled", pro, true) }, true,
			[]string{"before 1", "before 2", "after 2 disabled=true", "after 1 disabled=true", "finally 2 DISABLED", "finally 1 DISABLED"}},
		{"not found", func() any { return client.Int(t.Context(), "none", pro, 5) }, int64(5),
			[]string{"before 1", "before 2", "error 2: flags: FLAG_NOT_FOUND: there is no such flag", "error 1: flags: FLAG_NOT_FOUND: there is no such flag", "finally 2 ERROR", "finally 1 ERROR"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.read(); got != tt.got {
				t.Errorf("read %v, want %v", got, tt.got)
			}
			if got := log.take(); !slices.Equal(got, tt.want) {
				t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}

// Every getter goes through the hooks, with the type and the fallback it was called with.
func TestHooksSeeEveryGetter(t *testing.T) {
	var log hookLog
	client := hookedClient(t, nil, flags.Hook{Finally: func(_ context.Context, r flags.HookedRead, d flags.FlagDetails) {
		log.add("%s %s %s %v %s %s", r.Set, r.Key, r.Type, r.Fallback, d.Value, d.Reason)
	}})
	ctx, ec, null := t.Context(), flags.Entity("e"), flags.Value{}
	client.Bool(ctx, "flag", ec, true)
	client.BoolDetails(ctx, "flag", ec, true)
	client.String(ctx, "text", ec, "blue")
	client.StringDetails(ctx, "text", ec, "blue")
	client.Int(ctx, "number", ec, 1)
	client.IntDetails(ctx, "number", ec, 1)
	client.Float(ctx, "number", ec, 1.5)
	client.FloatDetails(ctx, "number", ec, 1.5)
	client.Object(ctx, "object", ec, null)
	client.ObjectDetails(ctx, "object", ec, null)
	client.GetFlags(ctx, ec, "text", "none")
	want := []string{
		"default flag boolean true false TARGETING_MATCH", "default flag boolean true false TARGETING_MATCH",
		`default text string blue "red" STATIC`, `default text string blue "red" STATIC`,
		"default number number 1 7 STATIC", "default number number 1 7 STATIC",
		"default number number 1.5 7 STATIC", "default number number 1.5 7 STATIC",
		`default object object null {"size":1} STATIC`, `default object object null {"size":1} STATIC`,
		`default text null null "red" STATIC`, "default none null null null ERROR",
	}
	if got := log.take(); !slices.Equal(got, want) {
		t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	client.View(ctx).Bool("flag", ec, false)
	client.Handle("flag").Bool(ec, false)
	if got := log.take(); got != nil {
		t.Errorf("reads of a view and a handle were told to hooks: %q", got)
	}
	if !client.Hooked() {
		t.Error("a client with hooks says it has none")
	}
}

// What one hook adds to the context, the next one and the rule see.
func TestHooksChangeTheContext(t *testing.T) {
	add := func(attrs ...flags.Attr) flags.Hook {
		return flags.Hook{Before: func(_ context.Context, r flags.HookedRead) (flags.EvaluationContext, error) {
			return r.Context.With(attrs...), nil
		}}
	}
	var seen flags.Value
	client := hookedClient(t, nil, add(flags.String("plan", "free"), flags.String("by", "hook")), add(flags.String("plan", "pro")), flags.Hook{
		After: func(_ context.Context, r flags.HookedRead, _ flags.FlagDetails) error {
			seen = r.Context.Value()
			return nil
		},
	})
	if !client.Bool(t.Context(), "flag", flags.Entity("e"), false) {
		t.Error("the rule did not see what the last hook added")
	}
	if got := seen.String(); got != `{"by":"hook","plan":"pro","targetingKey":"e"}` {
		t.Errorf("after saw the context %s", got)
	}
}

// A hook that fails or panics, at any stage, costs no read its value; other hooks are told.
func TestHooksCannotSpoilARead(t *testing.T) {
	bad := errors.New("bad hook")
	var log hookLog
	panics := flags.Hook{
		Error:   func(context.Context, flags.HookedRead, error) { panic("in error") },
		Finally: func(context.Context, flags.HookedRead, flags.FlagDetails) { panic("in finally") },
	}
	fails := func(err error) flags.Hook {
		return flags.Hook{Before: func(context.Context, flags.HookedRead) (flags.EvaluationContext, error) {
			return flags.Entity("someone else"), err
		}}
	}
	failsAfter := flags.Hook{After: func(context.Context, flags.HookedRead, flags.FlagDetails) error { return bad }}
	panicsBefore := flags.Hook{Before: func(context.Context, flags.HookedRead) (flags.EvaluationContext, error) { panic("in before") }}
	panicsAfter := flags.Hook{After: func(context.Context, flags.HookedRead, flags.FlagDetails) error { panic("in after") }}
	for _, tt := range []struct {
		name  string
		hooks []flags.Hook
		want  []string
		logs  int
	}{
		{"before fails", []flags.Hook{fails(bad), log.hook("1")},
			[]string{"error 1: before hook: bad hook", "finally 1 TARGETING_MATCH"}, 0},
		{"before panics", []flags.Hook{log.hook("1"), panicsBefore},
			[]string{"before 1", "error 1: before hook: flags: hook panicked: in before", "finally 1 TARGETING_MATCH"}, 0},
		{"after fails", []flags.Hook{log.hook("1"), failsAfter, log.hook("2")},
			[]string{"before 1", "before 2", "after 2 flag=true", "error 2: after hook: bad hook", "error 1: after hook: bad hook", "finally 2 TARGETING_MATCH", "finally 1 TARGETING_MATCH"}, 0},
		{"after panics", []flags.Hook{log.hook("1"), panicsAfter},
			[]string{"before 1", "error 1: after hook: flags: hook panicked: in after", "finally 1 TARGETING_MATCH"}, 0},
		{"error and finally panic", []flags.Hook{log.hook("1"), failsAfter, panics},
			[]string{"before 1", "error 1: after hook: bad hook", "finally 1 TARGETING_MATCH"}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			client := hookedClient(t, slog.New(slog.NewTextHandler(&out, nil)), tt.hooks...)
			if d := client.BoolDetails(t.Context(), "flag", flags.Entity("e", flags.String("plan", "pro")), false); !d.Value || d.Err() != nil {
				t.Errorf("read %v, %v", d.Value, d.Err())
			}
			if got := log.take(); !slices.Equal(got, tt.want) {
				t.Errorf("calls:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			if n := strings.Count(out.String(), "flags: hook failed"); n != tt.logs {
				t.Errorf("%d panics were logged, want %d:\n%s", n, tt.logs, out.String())
			}
		})
	}
}

// A hook's error and the read's own come to the error hooks as one.
func TestHookErrorsKeepTheReadsOwn(t *testing.T) {
	bad := errors.New("bad hook")
	var told []error
	client := hookedClient(t, nil, flags.Hook{
		Before: func(context.Context, flags.HookedRead) (flags.EvaluationContext, error) {
			return flags.EvaluationContext{}, bad
		},
		Error: func(_ context.Context, _ flags.HookedRead, err error) { told = append(told, err) },
	})
	client.Bool(t.Context(), "none", flags.Entity("e"), false)
	if len(told) != 1 || !errors.Is(told[0], bad) || !strings.Contains(told[0].Error(), "FLAG_NOT_FOUND") {
		t.Errorf("told %v", told)
	}
}

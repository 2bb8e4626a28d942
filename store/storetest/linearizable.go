package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// registers is the model: a set with two flags, each a number last written at a
// revision. It is a value, so that the checker can compare states.
type registers struct {
	revision uint64
	value    [2]int
	changed  [2]uint64
}

type operation struct {
	kind  string // head, get, put, swap
	key   int
	value int    // to write
	want  uint64 // swap: the revision the flag must have
}

type outcome struct {
	revision uint64 // of the set: after a write, or as read
	value    [2]int
	conflict bool
}

var registerModel = porcupine.Model{
	Init: func() any { return registers{revision: 1} },
	Step: func(state, input, output any) (bool, any) {
		s, in, out := state.(registers), input.(operation), output.(outcome)
		switch {
		case in.kind == "head":
			return out.revision == s.revision, s
		case in.kind == "get":
			return out.revision == s.revision && out.value == s.value, s
		case in.kind == "swap" && in.want != s.changed[in.key]:
			return out.conflict, s
		case out.conflict:
			return false, s
		default:
			s.revision++
			s.value[in.key], s.changed[in.key] = in.value, s.revision
			return out.revision == s.revision, s
		}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// linearizable lets clients write and read two flags at random, and wants their
// answers to be those of one order in which each took effect at an instant
// between its call and its answer.
func linearizable(e *env) {
	e.apply(create(set))
	ctx := e.ctx()
	histories := make([][]porcupine.Operation, e.h.Writers)
	errs := make([]error, e.h.Writers)
	start := time.Now()
	var wg sync.WaitGroup
	for client := range histories {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(client)))
			last := [2]uint64{}
			for i := 0; i < e.h.Writes && errs[client] == nil; i++ {
				op := operation{kind: []string{"head", "get", "put", "swap", "swap"}[random.IntN(5)], key: random.IntN(2), value: client*1000 + i + 1}
				op.want = last[op.key]
				call := time.Since(start)
				out, err := e.perform(ctx, op, &last)
				histories[client] = append(histories[client], porcupine.Operation{
					ClientId: client, Input: op, Output: out, Call: int64(call), Return: int64(time.Since(start)),
				})
				errs[client] = err
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		e.Fatal(err)
	}
	var all []porcupine.Operation
	for _, h := range histories {
		all = append(all, h...)
	}
	if result := porcupine.CheckOperationsTimeout(registerModel, all, e.h.Patience); result != porcupine.Ok {
		e.Fatalf("%d operations of %d clients: linearizable? %s", len(all), len(histories), result)
	}
}

func (e *env) perform(ctx context.Context, op operation, last *[2]uint64) (outcome, error) {
	name := []string{"x", "y"}[op.key]
	switch op.kind {
	case "head":
		h, err := e.s.Head(ctx, set)
		return outcome{revision: h.Revision}, err
	case "get":
		return e.readBoth(ctx, last)
	}
	c := change(put(name, flagOf(op.value)))
	if op.kind == "swap" {
		c = when(c, flags.FlagKey(name), op.want)
	}
	accepted, err := e.s.Apply(ctx, c)
	if errors.Is(err, store.ErrConflict) {
		return outcome{conflict: true}, nil
	}
	last[op.key] = accepted.Revision
	return outcome{revision: accepted.Revision}, err
}

func (e *env) readBoth(ctx context.Context, last *[2]uint64) (outcome, error) {
	u, err := e.s.Fetch(ctx, set, flags.Head{Set: set})
	if err != nil {
		return outcome{}, err
	}
	c := flags.NewContents(set)
	if err := install(c, u); err != nil {
		return outcome{}, err
	}
	out := outcome{revision: u.Head.Revision}
	for i, name := range []string{"x", "y"} {
		entry, ok := c.Get(flags.FlagKey(name))
		if !ok {
			continue
		}
		last[i] = entry.Revision
		if out.value[i], err = numberOf(entry.Bytes); err != nil {
			return out, err
		}
	}
	return out, nil
}

package main

import (
	"context"

	"github.com/holdfast-flags/holdfast/flags"
)

// shape is one kind of read, each way.
type shape struct {
	name                                 string
	floor, client, view, details, handle loop
}

// What is read goes where the compiler cannot see that nobody looks.
var (
	sinkBool   bool
	sinkString string
	sinkInt    int64
	sinkValue  flags.Value
)

func (w *world) shapes(ctx context.Context) []shape {
	return []shape{
		w.boolean(ctx, "static", "static", func(f *floorFlag) bool { return f.value }),
		w.boolean(ctx, "one rule", "one-rule", func(f *floorFlag) bool { return f.byRules(w.user) }),
		w.boolean(ctx, "ten rules, last matches", "ten-rules", func(f *floorFlag) bool { return f.byRules(w.user) }),
		w.boolean(ctx, "50:50 by targeting key", "fractional", func(f *floorFlag) bool { return f.byHash(w.user) }),
		w.boolean(ctx, "list of 1,000 ids", "in-1000", func(f *floorFlag) bool { return f.byIDs(w.user) }),
		w.boolean(ctx, "1 of 1,000 overrides", "override", func(f *floorFlag) bool { return f.byOverrides(w.user) }),
		w.text(ctx), w.integer(ctx), w.object(ctx),
	}
}

func (w *world) boolean(ctx context.Context, name, key string, floor func(*floorFlag) bool) shape {
	h := w.client.Handle(key)
	return shape{
		name: name,
		floor: func(n int) {
			for range n {
				sinkBool = floor(w.floor.find(key))
			}
		},
		client: func(n int) {
			for range n {
				sinkBool = w.client.Bool(ctx, key, w.ec, false)
			}
		},
		view: func(n int) {
			view := w.client.View(ctx)
			for range n {
				sinkBool = view.Bool(key, w.ec, false)
			}
		},
		details: func(n int) {
			for range n {
				d := w.client.BoolDetails(ctx, key, w.ec, false)
				sinkBool, sinkString = d.Value, d.Variant
			}
		},
		handle: func(n int) {
			for range n {
				sinkBool = h.Bool(w.ec, false)
			}
		},
	}
}

func (w *world) text(ctx context.Context) shape {
	h, key := w.client.Handle("string"), "string"
	return shape{
		name: "string",
		floor: func(n int) {
			for range n {
				sinkString = w.floor.find(key).text
			}
		},
		client: func(n int) {
			for range n {
				sinkString = w.client.String(ctx, key, w.ec, "")
			}
		},
		view: func(n int) {
			view := w.client.View(ctx)
			for range n {
				sinkString = view.String(key, w.ec, "")
			}
		},
		details: func(n int) {
			for range n {
				sinkString = w.client.StringDetails(ctx, key, w.ec, "").Value
			}
		},
		handle: func(n int) {
			for range n {
				sinkString = h.String(w.ec, "")
			}
		},
	}
}

func (w *world) integer(ctx context.Context) shape {
	h, key := w.client.Handle("integer"), "integer"
	return shape{
		name: "integer",
		floor: func(n int) {
			for range n {
				sinkInt = w.floor.find(key).number
			}
		},
		client: func(n int) {
			for range n {
				sinkInt = w.client.Int(ctx, key, w.ec, 0)
			}
		},
		view: func(n int) {
			view := w.client.View(ctx)
			for range n {
				sinkInt = view.Int(key, w.ec, 0)
			}
		},
		details: func(n int) {
			for range n {
				sinkInt = w.client.IntDetails(ctx, key, w.ec, 0).Value
			}
		},
		handle: func(n int) {
			for range n {
				sinkInt = h.Int(w.ec, 0)
			}
		},
	}
}

func (w *world) object(ctx context.Context) shape {
	h, key := w.client.Handle("object"), "object"
	return shape{
		name: "object",
		floor: func(n int) {
			for range n {
				sinkValue = w.floor.find(key).object
			}
		},
		client: func(n int) {
			for range n {
				sinkValue = w.client.Object(ctx, key, w.ec, flags.Value{})
			}
		},
		view: func(n int) {
			view := w.client.View(ctx)
			for range n {
				sinkValue = view.Object(key, w.ec, flags.Value{})
			}
		},
		details: func(n int) {
			for range n {
				sinkValue = w.client.ObjectDetails(ctx, key, w.ec, flags.Value{}).Value
			}
		},
		handle: func(n int) {
			for range n {
				sinkValue = h.Object(w.ec, flags.Value{})
			}
		},
	}
}

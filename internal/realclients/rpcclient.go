package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/structpb"
)

// transport is a plain client of flagd's evaluation protocol. Errors of resolve
// are for code to understand.
type transport interface {
	// resolve calls the method for the type of a question.
	resolve(ctx context.Context, q question, who *structpb.Struct) (proto.Message, error)
	// events opens the stream; the function returns what comes next.
	events(ctx context.Context) (func() (proto.Message, error), error)
	code(err error) codes.Code
	close()
}

// rpcClient is the least provider that can be made of a transport.
type rpcClient struct {
	dial func(addresses) (transport, error)
	transport

	mu   sync.Mutex
	log  []heard
	news chan struct{} // closed at the next event
}

// heard is an event, and the flags it names.
type heard struct {
	event string
	flags []string
}

func (c *rpcClient) Connect(ctx context.Context, at addresses) (err error) {
	c.news = make(chan struct{})
	if c.transport, err = c.dial(at); err != nil {
		return err
	}
	context.AfterFunc(ctx, c.transport.close)
	go c.listen(ctx)
	return c.Await(ctx, ready, "")
}

// listen keeps a stream of events open.
func (c *rpcClient) listen(ctx context.Context) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		if next, err := c.events(ctx); err == nil {
			c.relate(next)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// relate logs what a stream tells, until it ends.
func (c *rpcClient) relate(next func() (proto.Message, error)) {
	began := false
	for {
		m, err := next()
		if err != nil {
			if began {
				c.hear(heard{event: stale})
			}
			return
		}
		began = true
		kind := field(m, "type").String()
		switch kind {
		case "provider_ready":
			c.hear(heard{event: ready})
		case "configuration_change":
			var flags []string
			if data, ok := field(m, "data").Message().Interface().(*structpb.Struct); ok {
				flags = slices.Collect(maps.Keys(data.GetFields()["flags"].GetStructValue().GetFields()))
			}
			c.hear(heard{changed, flags})
		default:
			c.hear(heard{event: kind})
		}
	}
}

func (c *rpcClient) hear(h heard) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, h)
	close(c.news)
	c.news = make(chan struct{})
}

// Mark is of backend.
func (c *rpcClient) Mark(context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = nil
	return nil
}

// Await is of backend.
func (c *rpcClient) Await(ctx context.Context, event, flag string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c.mu.Lock()
		log, news := c.log, c.news
		c.mu.Unlock()
		if slices.ContainsFunc(log, func(h heard) bool { return h.event == event && (flag == "" || slices.Contains(h.flags, flag)) }) {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return fmt.Errorf("no %s %s, but %v", event, flag, log)
		}
	}
}

// Ask is of backend.
func (c *rpcClient) Ask(ctx context.Context, who map[string]any, questions []question) ([]answer, error) {
	about, err := structpb.NewStruct(who)
	if err != nil {
		return nil, err
	}
	answers := make([]answer, len(questions))
	for i, q := range questions {
		m, err := c.resolve(ctx, q, about)
		if err != nil {
			answers[i] = answer{Value: q.Default, Reason: "ERROR", Error: errorCode(c.code(err)), Message: err.Error()}
			continue
		}
		answers[i] = details(m, q)
	}
	return answers, nil
}

// errorCode is OpenFeature's for one of gRPC, as flagd's providers have it.
func errorCode(code codes.Code) string {
	switch code {
	case codes.NotFound:
		return "FLAG_NOT_FOUND"
	case codes.InvalidArgument:
		return "TYPE_MISMATCH"
	case codes.DataLoss:
		return "PARSE_ERROR"
	default:
		return "GENERAL"
	}
}

// details reads a Resolve response of any version and type.
func details(m proto.Message, q question) answer {
	a := answer{Value: q.Default, Reason: field(m, "reason").String(), Variant: field(m, "variant").String()}
	if meta, ok := field(m, "metadata").Message().Interface().(*structpb.Struct); ok {
		a.Metadata = meta.AsMap()
	}
	fd := m.ProtoReflect().Descriptor().Fields().ByName("value")
	if fd.HasPresence() && !m.ProtoReflect().Has(fd) {
		return a
	}
	switch v := field(m, "value").Interface().(type) {
	case protoreflect.Message:
		if s, ok := v.Interface().(*structpb.Struct); ok {
			a.Value = s.AsMap()
		}
	case int64:
		a.Value = float64(v) // as the table has its numbers
	default:
		a.Value = v
	}
	return a
}

func field(m proto.Message, name protoreflect.Name) protoreflect.Value {
	r := m.ProtoReflect()
	return r.Get(r.Descriptor().Fields().ByName(name))
}

// methodFor is the part of a method's name that a type has.
func methodFor(typ string) (string, error) {
	switch typ {
	case "boolean", "string", "integer", "object":
		return "Resolve" + strings.ToUpper(typ[:1]) + strings.TrimSuffix(typ[1:], "eger"), nil
	case "number":
		return "ResolveFloat", nil
	default:
		return "", errors.New("no type " + typ)
	}
}

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/flags"
	syncv1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/sync/v1"
)

// source is a plain client of flagd.sync.v1: what a flagd daemon does whose source
// is the router.
type source struct {
	name     string
	set      string
	selector string
	client   syncv1.FlagSyncServiceClient

	mu      sync.Mutex
	last    payload
	streams int   // that brought something
	older   error // a payload that was older than the one before
	news    chan struct{}
}

// payload is a flag set as it is synced.
type payload struct {
	text     string
	token    flags.Token
	context  map[string]any
	Metadata map[string]any `json:"metadata"`
	Flags    map[string]struct {
		State          string          `json:"state"`
		Variants       map[string]any  `json:"variants"`
		DefaultVariant *string         `json:"defaultVariant"`
		Targeting      json.RawMessage `json:"targeting"`
		Metadata       map[string]any  `json:"metadata"`
	} `json:"flags"`
}

// readPayload understands a flag configuration.
func readPayload(text string) (payload, error) {
	p := payload{text: text}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return p, err
	}
	token, _ := p.Metadata["holdfastRevision"].(string)
	for _, f := range p.Flags {
		if token == "" { // where flagd puts what is of the set
			token, _ = f.Metadata["holdfastRevision"].(string)
		}
	}
	var err error
	p.token, err = flags.ParseToken(token)
	return p, err
}

func (s *source) arrive(ctx context.Context, at addresses, _ cases, r *report) {
	conn, err := grpc.NewClient(at.Sync, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		r.check(s.name, "connect", err)
		return
	}
	context.AfterFunc(ctx, func() { _ = conn.Close() })
	s.client, s.news = syncv1.NewFlagSyncServiceClient(conn), make(chan struct{})
	go s.listen(ctx)
	err = s.await(ctx, func(payload) error { return nil })
	r.check(s.name, "connect", err)
	if err != nil {
		return
	}
	r.check(s.name, "the whole set", s.whole())
	r.check(s.name, "rules in place of their names", s.inlined())
	r.check(s.name, "static context", s.context())
	all, err := s.client.FetchAllFlags(s.selecting(ctx), &syncv1.FetchAllFlagsRequest{})
	if err == nil && all.GetFlagConfiguration() != s.now().text {
		err = fmt.Errorf("%s, the stream had %s", all.GetFlagConfiguration(), s.now().text)
	}
	r.check(s.name, "FetchAllFlags", err)
	about, err := s.client.GetMetadata(s.selecting(ctx), &syncv1.GetMetadataRequest{})
	if err == nil && about.GetMetadata().AsMap()["region"] != "lab" {
		err = fmt.Errorf("metadata %v", about)
	}
	r.check(s.name, "GetMetadata", err)
	r.check(s.name, "a selector nobody knows is refused", s.refused(ctx))
}

// whole compares the payload with the flag file.
func (s *source) whole() error {
	file := defaultFlags
	if s.set == "other" {
		file = otherFlags
	}
	var want payload
	if err := json.Unmarshal(file, &want); err != nil {
		return err
	}
	now := s.now()
	if got, want := slices.Sorted(maps.Keys(now.Flags)), slices.Sorted(maps.Keys(want.Flags)); !slices.Equal(got, want) {
		return fmt.Errorf("flags %v, want %v", got, want)
	}
	if now.token.Set != s.set {
		return fmt.Errorf("revision %s, want set %s", now.token, s.set)
	}
	return nil
}

func (s *source) inlined() error {
	if text := s.now().text; strings.Contains(text, "$ref") || strings.Contains(text, "x-overrides") {
		return errors.New(text)
	}
	return nil
}

func (s *source) context() error {
	if c := s.now().context; c["region"] != "lab" {
		return fmt.Errorf("sync context %v", c)
	}
	return nil
}

func (s *source) refused(ctx context.Context) error {
	_, err := s.client.FetchAllFlags(metadata.AppendToOutgoingContext(ctx, "flagd-selector", "planet=mars"), &syncv1.FetchAllFlagsRequest{})
	if want := `invalid selector key "planet", valid keys: "flagSetId", "source"`; status.Code(err) != codes.InvalidArgument || status.Convert(err).Message() != want {
		return fmt.Errorf("%w, want InvalidArgument: %s", err, want)
	}
	return nil
}

// listen keeps a stream open.
func (s *source) listen(ctx context.Context) {
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		if stream, err := s.client.SyncFlags(s.selecting(ctx), &syncv1.SyncFlagsRequest{ProviderId: "holdfast"}); err == nil {
			s.follow(stream)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
		}
	}
}

// follow takes what a stream brings, until it ends.
func (s *source) follow(stream grpc.ServerStreamingClient[syncv1.SyncFlagsResponse]) {
	for first := true; ; first = false {
		m, err := stream.Recv()
		if err != nil {
			return
		}
		p, err := readPayload(m.GetFlagConfiguration())
		p.context = m.GetSyncContext().AsMap()
		s.mu.Lock()
		if err == nil && p.token.Before(s.last.token.Version) {
			err = fmt.Errorf("%s came after %s", p.token, s.last.token)
		}
		s.older = errors.Join(s.older, err)
		s.last = p
		if first {
			s.streams++
		}
		close(s.news)
		s.news = make(chan struct{})
		s.mu.Unlock()
	}
}

func (s *source) now() payload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// await waits for a payload.
func (s *source) await(ctx context.Context, fits func(payload) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s.mu.Lock()
		p, news := s.last, s.news
		s.mu.Unlock()
		err := errors.New("nothing came")
		if p.text != "" {
			err = fits(p)
		}
		if err == nil {
			return nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return err
		}
	}
}

func (s *source) mark(context.Context, *report) {}

func (s *source) switched(ctx context.Context, on bool, r *report) { s.defaults(ctx, "switch", on, r) }

// defaults checks that a boolean flag arrives with another default.
func (s *source) defaults(ctx context.Context, flag string, on bool, r *report) {
	flag = own(s.set, flag)
	want := "off"
	if on {
		want = "on"
	}
	r.check(s.name, flag+" has the default "+want, s.await(ctx, func(p payload) error {
		if v := p.Flags[flag].DefaultVariant; v == nil || *v != want {
			return fmt.Errorf("%s at %s", flag, p.token)
		}
		return nil
	}))
}

func (s *source) overridden(ctx context.Context, _ cases, r *report) {
	r.check(s.name, "the override is a rule", s.await(ctx, func(p payload) error {
		if rule := string(p.Flags[own(s.set, "plain")].Targeting); !strings.Contains(rule, "tenant-42") {
			return fmt.Errorf("targeting %s at %s", rule, p.token)
		}
		return nil
	}))
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if s.streams != 1 { // a router that stops may serve one more, for a moment
		err = fmt.Errorf("%d streams", s.streams)
	}
	r.check(s.name, "one stream until the outage", err)
}

func (s *source) left(context.Context, cases, *report) {}

func (s *source) returned(ctx context.Context, r *report) {
	s.defaults(ctx, "away", true, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	r.check(s.name, "no payload older than the one before", s.older)
}

func (s *source) selecting(ctx context.Context) context.Context {
	if s.selector == "" {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, "flagd-selector", s.selector)
}

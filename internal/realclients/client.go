package main

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// The events of OpenFeature.
const (
	ready   = "PROVIDER_READY"
	changed = "PROVIDER_CONFIGURATION_CHANGED"
	stale   = "PROVIDER_STALE"
	failed  = "PROVIDER_ERROR"
	// Told by flagd's protocol, not by OpenFeature.
	shutdown = "provider_shutdown"
)

// backend is the way to a client.
type backend interface {
	// Connect returns when the client can be asked.
	Connect(ctx context.Context, at addresses) error
	// Ask asks all questions in one context.
	Ask(ctx context.Context, who map[string]any, questions []question) ([]answer, error)
	// Mark forgets the events so far.
	Mark(ctx context.Context) error
	// Await waits for an event since the mark, about a flag if one is named.
	Await(ctx context.Context, event, flag string) error
}

// client is one client, and what is to be expected of its kind.
type client struct {
	backend
	name  string
	kinds []string // to look outliers up by
	set   string

	integers   bool     // it can ask for them
	caches     bool     // STATIC answers come again as CACHED
	noMetadata bool     // it drops metadata
	bulk       bool     // it gets many answers with one revision, which it tells for unknown flags
	noEvents   bool     // it raises none
	keyless    bool     // its changes name no flags
	lost       []string // events in an outage
	found      []string // events after it
	away       string   // error code in an outage; "": it goes on answering

	quiet func(context.Context) error // what is to be seen while nothing changes, if anything
}

// values asks everything in the table.
func (c *client) values(ctx context.Context, table cases, r *report) {
	for _, group := range table.byContext(c.set) {
		if !c.integers {
			group = slices.DeleteFunc(group, func(tc testcase) bool { return tc.Type == "integer" })
		}
		var questions []question
		for _, tc := range group {
			questions = append(questions, tc.question)
		}
		answers, err := c.Ask(ctx, table.Contexts[group[0].Context], questions)
		if err != nil {
			r.check(c.name, "questions in context "+group[0].Context, err)
			continue
		}
		for i, tc := range group {
			c.value(tc, answers[i], r)
		}
	}
}

func (c *client) value(tc testcase, got answer, r *report) {
	what := fmt.Sprintf("%s as %s for %s", tc.Flag, tc.Type, tc.Context)
	want := tc.Want
	for _, kind := range c.kinds {
		o, ok := tc.In[kind]
		if ok && o.Want == nil {
			r.setAside(c.name, what, o.Aside)
			return
		}
		if ok {
			want = *o.Want
			break
		}
	}
	if tc.Again && c.caches {
		want.Reason = "CACHED"
	}
	r.check(c.name, what, got.fits(want))
	if tc.Metadata != nil && !c.noMetadata {
		r.check(c.name, "metadata of "+tc.Flag, got.carries(tc.Metadata))
	}
	if c.bulk == (want.Error == "FLAG_NOT_FOUND") && (c.bulk || tc.Metadata != nil) && !c.noMetadata {
		r.check(c.name, "revision with "+tc.Flag, got.dated())
	}
}

// until asks until a flag has a value.
func (c *client) until(ctx context.Context, who map[string]any, q question, value any) error {
	return eventually(ctx, func(ctx context.Context) error {
		got, err := c.Ask(ctx, who, []question{q})
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(got[0].Value, value) {
			return fmt.Errorf("%s is %v (%s %s)", q.Flag, got[0].Value, got[0].Error, got[0].Message)
		}
		return nil
	})
}

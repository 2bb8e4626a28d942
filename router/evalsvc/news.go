package evalsvc

import (
	"maps"
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
)

// news are the flags that differ between two versions of a set. They are shared by all
// streams, and are not changed.
type news struct {
	flags map[string]change
	event *event
}

// change says whether there was such a flag before, and whether there is now.
type change struct{ was, is bool }

func newNews(changed map[string]change) *news {
	return &news{changed, newEvent(func() *v2.EventStreamResponse { return configurationChange(changed) })}
}

// newsOf compares two versions, of which the keys given are said to differ. "" stands
// for all: an evaluator or the set's metadata changed, which may be in any flag, or
// nobody knows what did.
func newsOf(keys map[string]struct{}, old, now *flags.Snapshot) *news {
	changed := make(map[string]change, len(keys))
	if _, all := keys[""]; all {
		for _, key := range now.Keys() {
			changed[key] = change{}
		}
		for _, key := range old.Keys() {
			changed[key] = change{was: true}
		}
	}
	for key := range keys {
		if key != "" {
			_, was := old.Get(flags.FlagKey(key))
			changed[key] = change{was: was}
		}
	}
	for key, c := range changed {
		_, c.is = now.Get(flags.FlagKey(key))
		changed[key] = c
	}
	return newNews(changed)
}

// and returns the news of n and of those that came later. Either may be nil.
func (n *news) and(later *news) *news {
	if n == nil {
		return later
	}
	sum := maps.Clone(n.flags)
	for key, c := range later.flags {
		if before, ok := sum[key]; ok {
			c.was = before.was
		}
		sum[key] = c
	}
	return newNews(sum)
}

func configurationChange(changed map[string]change) *v2.EventStreamResponse {
	fields := make(map[string]*structpb.Value, len(changed))
	for key, c := range changed {
		kind := "delete" // also of what came and went in between
		switch {
		case c.is && c.was:
			kind = "update"
		case c.is:
			kind = "write"
		}
		fields[key] = structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{"type": structpb.NewStringValue(kind)}})
	}
	return &v2.EventStreamResponse{Type: "configuration_change", Data: &structpb.Struct{Fields: map[string]*structpb.Value{
		"flags": structpb.NewStructValue(&structpb.Struct{Fields: fields}),
	}}}
}

// event is an EventStreamResponse that is encoded at most once in each form, however
// many streams it goes to.
type event struct {
	proto func() ([]byte, error)
	json  func() ([]byte, error)
}

func newEvent(build func() *v2.EventStreamResponse) *event {
	message := sync.OnceValue(build)
	return &event{
		proto: sync.OnceValues(func() ([]byte, error) { return proto.Marshal(message()) }),
		json:  sync.OnceValues(func() ([]byte, error) { return jsonOut.Marshal(message()) }),
	}
}

// plainEvent is an event without data.
func plainEvent(kind string) *event {
	return newEvent(func() *v2.EventStreamResponse { return &v2.EventStreamResponse{Type: kind} })
}

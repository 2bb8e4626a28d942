// Package evalsvc serves flagd's evaluation protocols: flagd.evaluation.v2,
// flagd.evaluation.v1 and schema.v1, over gRPC, gRPC-Web and Connect, on HTTP/1.1
// and HTTP/2, as protobuf and as JSON. To an OpenFeature provider it is a flagd.
//
// Answers say more than flagd's do: the revision that they are from, in metadata and
// in the header Holdfast-Revision, which requests may carry too; see package
// evaluator. Numbers are never rounded: an integer is asked of a number that is none,
// or is beyond 2^53-1, in vain (TYPE_MISMATCH).
//
// A request costs about a dozen allocations more than one that is merely decoded and
// echoed: the handle of its evaluation context and the scope behind it, the answer's
// value and message, the headers with the revision, and what a rule looks at inside of an
// object or a list of the context, which is converted then. The metadata of a flag is put
// together once for each revision, contexts are read where they were decoded, and
// the flag itself costs nothing. See BenchmarkResolveBoolean.
package evalsvc

import (
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/holdfast-flags/holdfast/flags"
	v1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
	schema "github.com/holdfast-flags/holdfast/internal/pb/schema/v1"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/rescue"
)

const (
	maxBody     = 1_000_000 // bytes of a request, flagd's own limit
	minCompress = 1 << 10   // bytes from which compressing an answer is worth its time
)

// Options configure a Service. Evaluator is required.
type Options struct {
	Evaluator *evaluator.Evaluator
	// KeepAlive is after how much silence an event stream says keep_alive. Default
	// 20 s, as flagd.
	KeepAlive time.Duration
	// WriteTimeout is how long a client may take over one event before it is cut off.
	// Default 10 s.
	WriteTimeout time.Duration
	// Logger takes what operators should know. Default: discarded.
	Logger *slog.Logger

	sabotage sabotage
}

// sabotage switches single guards off, so that tests can show that they would notice.
type sabotage struct {
	forgetful bool // news are dropped while others wait to be sent
	inTurn    bool // streams wait for one another
}

// Service is the protocols as an http.Handler. Make one with New.
type Service struct {
	opts     Options
	handlers map[string]http.Handler // by path
	metadata evaluator.Memo[*structpb.Struct]
	drain    chan struct{} // closed when streams shall end

	feeds atomic.Pointer[map[string]*feed] // by set, of sets that were asked about; replaced, never changed

	mu   sync.Mutex               // of who replaces feeds
	wide map[*subscriber]struct{} // streams that named no set

	turn chan struct{} // sabotage: has a token while somebody sends
}

// New returns a service.
func New(opts Options) *Service {
	if opts.KeepAlive <= 0 {
		opts.KeepAlive = 20 * time.Second
	}
	if opts.WriteTimeout <= 0 {
		opts.WriteTimeout = 10 * time.Second
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{opts: opts, handlers: map[string]http.Handler{}, drain: make(chan struct{}), wide: map[*subscriber]struct{}{}, turn: make(chan struct{}, 1)}
	s.feeds.Store(&map[string]*feed{})

	unary[v2.ResolveBooleanRequest](s, v2.ServiceResolveBooleanProcedure, flags.View.BoolDetails, boolean2)
	unary[v2.ResolveStringRequest](s, v2.ServiceResolveStringProcedure, flags.View.StringDetails, string2)
	unary[v2.ResolveFloatRequest](s, v2.ServiceResolveFloatProcedure, flags.View.FloatDetails, float2)
	unary[v2.ResolveIntRequest](s, v2.ServiceResolveIntProcedure, flags.View.IntDetails, int2)
	unary[v2.ResolveObjectRequest](s, v2.ServiceResolveObjectProcedure, object, object2)
	events(s, v2.ServiceEventStreamProcedure)
	s.old(v1.ServiceName)
	s.old(schema.ServiceName)
	return s
}

// old serves the two older protocols: on the wire, and as JSON, they are the same but
// for their name.
func (s *Service) old(service string) {
	at := "/" + service + "/"
	unary[v1.ResolveBooleanRequest](s, at+"ResolveBoolean", flags.View.BoolDetails, boolean1)
	unary[v1.ResolveStringRequest](s, at+"ResolveString", flags.View.StringDetails, string1)
	unary[v1.ResolveFloatRequest](s, at+"ResolveFloat", flags.View.FloatDetails, float1)
	unary[v1.ResolveIntRequest](s, at+"ResolveInt", flags.View.IntDetails, int1)
	unary[v1.ResolveObjectRequest](s, at+"ResolveObject", object, object1)
	s.handlers[at+"ResolveAll"] = connect.NewUnaryHandler(at+"ResolveAll", s.resolveAll, s.handling()...)
	events(s, at+"EventStream")
}

// Procedures returns what is served, sorted.
func (s *Service) Procedures() []string { return slices.Sorted(maps.Keys(s.handlers)) }

func (s *Service) handling() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithReadMaxBytes(maxBody), connect.WithCompressMinBytes(minCompress),
		connect.WithCodec(protoCodec{}), connect.WithCodec(jsonCodec{"json"}), connect.WithCodec(jsonCodec{"json; charset=utf-8"}),
	}
}

// Drain ends all event streams, which tell their clients. Call it once, before the
// server stops.
func (s *Service) Drain() { close(s.drain) }

// ServeHTTP serves the protocols.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer rescue.Panic(s.opts.Logger, r)
	h := s.handlers[r.URL.Path]
	if h == nil {
		http.NotFound(w, r) // unimplemented, to clients of all protocols
		return
	}
	h.ServeHTTP(w, r)
}

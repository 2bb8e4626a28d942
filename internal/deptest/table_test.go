package deptest

// A rule says what one package may import directly: packages of this module,
// by path below its root, and packages of others, by prefix. The standard
// library is free. A path ending in /... stands for a folder and all below it.
type rule struct {
	own    []string
	others []string
}

const (
	grpc       = "google.golang.org/grpc"
	protobuf   = "google.golang.org/protobuf"
	prometheus = "github.com/prometheus/client_golang"
	middleware = "github.com/grpc-ecosystem/go-grpc-middleware"
	connect    = "connectrpc.com/connect"
)

// table goes from the ground up; whatever is not in it fails the test.
var table = map[string]rule{
	"internal/jsonlogic":      {},
	"internal/sabotage":       {},
	"internal/spelling":       {},
	"internal/pb":             {},
	"internal/pb/holdfast/v1": {others: []string{grpc, protobuf}},
	"internal/pb/flagd/...":   {others: []string{grpc, protobuf, connect}},
	"internal/pb/schema/v1":   {others: []string{protobuf, connect}},
	"breaker":                 {others: []string{"github.com/sony/gobreaker/v2"}},

	"flags":             {own: []string{"internal/jsonlogic", "internal/sabotage", "internal/spelling"}},
	"flags/flagdfile":   {own: []string{"flags"}, others: []string{"github.com/goccy/go-yaml", "go.yaml.in/yaml"}},
	"flags/flagstest":   {own: []string{"flags", "store", "store/memstore"}},
	"flags/expression":  {own: []string{"flags", "internal/jsonlogic", "internal/spelling"}}, // the notation of rules for people
	"internal/keyfile":  {},
	"internal/redact":   {},
	"flags/standard":    {own: []string{"flags", "internal/keyfile", "internal/redact", "flags/flagdfile", "breaker", "store", "store/grpcstore", "store/mongostore", "store/reststore", "store/filestore", "cachestrategy", "cachestrategy/memorycache", "cachestrategy/rediscache"}},
	"internal/session":  {own: []string{"flags"}}, // what the two below have in common
	"flags/sessionhttp": {own: []string{"internal/session"}},
	"flags/sessiongrpc": {own: []string{"internal/session"}, others: []string{grpc}},
	"flags/openfeature": {own: []string{"flags"}, others: []string{"github.com/open-feature/go-sdk"}},

	"internal/vendorformat": {own: []string{"flags", "flags/flagdfile"}}, // files of other products become flag files

	"store":             {own: []string{"flags"}},
	"store/storetest":   {own: []string{"flags", "store"}, others: []string{"github.com/anishathalye/porcupine"}},
	"store/memstore":    {own: []string{"flags", "store"}},
	"store/boltstore":   {own: []string{"flags", "store"}, others: []string{"go.etcd.io/bbolt"}},
	"store/mongostore":  {own: []string{"flags", "store", "internal/redact", "internal/remote"}, others: []string{"go.mongodb.org/mongo-driver/v2"}},
	"internal/pb/wire":  {own: []string{"flags", "store", "internal/pb/..."}, others: []string{grpc, protobuf}}, // between the wire's form and ours
	"internal/remote":   {own: []string{"flags"}},                                                               // what drivers across a network share
	"store/grpcstore":   {own: []string{"flags", "store", "internal/pb/...", "internal/remote"}, others: []string{grpc, protobuf}},
	"internal/restwire": {own: []string{"flags", "store"}}, // between the REST API's form and ours
	"store/reststore":   {own: []string{"flags", "store", "internal/remote", "internal/restwire"}},
	"store/filestore":   {own: []string{"flags", "flags/flagdfile", "store", "store/memstore"}}, // a flag file becomes commits of a store in memory

	"cachestrategy":                     {own: []string{"flags"}},
	"cachestrategy/cachetest":           {own: []string{"flags", "cachestrategy"}},
	"cachestrategy/memorycache":         {own: []string{"flags", "cachestrategy"}, others: []string{"github.com/maypok86/otter/v2"}},
	"cachestrategy/examples/mongocache": {own: []string{"flags", "cachestrategy"}, others: []string{"go.mongodb.org/mongo-driver/v2"}},
	"cachestrategy/rediscache":          {own: []string{"flags", "internal/redact", "internal/remote", "cachestrategy"}, others: []string{"github.com/redis/go-redis/v9"}},

	"router/authz":                {own: []string{"flags", "store"}, others: []string{"golang.org/x/time"}},
	"router/cors":                 {others: []string{"github.com/rs/cors"}},
	"router/rescue":               {},
	"router/hub":                  {own: []string{"flags", "store"}},
	"router/adminweb":             {own: []string{"flags", "flags/expression", "flags/flagdfile", "store", "internal/textdiff", "internal/vendorformat", "router/authz", "router/hub", "router/rescue"}},
	"router/adminweb/browsertest": {},
	"router/ofrep":                {own: []string{"flags", "router/authz", "router/evaluator", "router/rescue"}, others: []string{"golang.org/x/time"}},
	"router/flagsvc":              {own: []string{"flags", "store", "internal/pb/...", "router/authz", "router/hub"}, others: []string{grpc, protobuf, middleware}},
	"router/restapi":              {own: []string{"flags", "flags/flagdfile", "store", "internal/restwire", "router/authz", "router/hub", "router/rescue"}},
	"router/webhook":              {own: []string{"flags", "store", "internal/restwire"}},
	"router/syncsvc":              {own: []string{"flags", "internal/pb/...", "router/authz", "router/evaluator"}, others: []string{grpc, protobuf}},
	"router":                      {own: []string{"flags", "flags/flagdfile", "store", "breaker", "internal/pb/...", "router/..."}, others: []string{grpc, middleware, prometheus}},

	// What the protocols that evaluate have in common, and those of flagd.
	"router/evaluator": {own: []string{"flags", "internal/session", "router/authz", "router/hub"}},
	"router/evalsvc":   {own: []string{"flags", "internal/pb/...", "router/authz", "router/evaluator", "router/rescue"}, others: []string{protobuf, connect}},

	// The commands wire everything together and may know everybody.
	"cmd/...": {own: []string{"..."}, others: []string{""}},

	// Test parts: faults, real servers, whole runs.
	"internal/deptest":             {},
	"internal/faultnet":            {},
	"internal/flagcases":           {own: []string{"flags"}},
	"internal/testenv":             {},
	"internal/textdiff":            {own: []string{"flags", "flags/expression"}}, // changes as people read them
	"internal/session/sessiontest": {own: []string{"flags", "store/memstore"}},
	"internal/demo":                {own: []string{"flags", "flags/standard"}, others: []string{"github.com/redis/go-redis/v9"}},
	"internal/realclients":         {own: []string{"flags", "internal/pb/..."}, others: []string{grpc, protobuf, "connectrpc.com/connect"}},
	"internal/matrix":              {},
	"internal/matrix/sum":          {own: []string{"internal/matrix"}},
	"internal/matrix/rig":          {own: []string{"..."}, others: []string{""}},
	"internal/e2e":                 {own: []string{"..."}, others: []string{""}},
}

// reach limits what a package may link in the end, through whatever it imports:
// applications choose these packages for what they leave out.
var reach = map[string][]string{
	"flags":                     {},
	"flags/flagstest":           {},
	"flags/expression":          {},
	"flags/sessionhttp":         {},
	"store":                     {},
	"cachestrategy":             {},
	"cachestrategy/memorycache": {"github.com/maypok86/otter/v2"},
	"breaker":                   {"github.com/sony/gobreaker/v2"},
}

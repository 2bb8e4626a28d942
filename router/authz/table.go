package authz

// Rule is what a method or route demands of who calls it.
type Rule struct {
	// Public ones answer everybody, and tell nothing of flags.
	Public bool
	// Action that is asked about, of the set that the request names; for what names
	// none, about no set. Some ask for more in the end: see the table.
	Action Action
}

// RuleOf returns the rule of a gRPC method or Connect procedure by its full name, or of
// an HTTP route by its pattern. What has none is refused to everybody.
func RuleOf(name string) (Rule, bool) {
	r, ok := table[name]
	return r, ok
}

// table is everything that can be asked of a router. A test holds it against what is
// registered, and each rule against what happens.
var table = map[string]Rule{
	"/holdfast.v1.Flags/Head":        {Action: Sync},
	"/holdfast.v1.Flags/Fetch":       {Action: Sync},
	"/holdfast.v1.Flags/Watch":       {Action: Sync},
	"/holdfast.v1.Flags/Apply":       {Action: Write}, // Admin, to create or delete a set
	"/holdfast.v1.Flags/ListSets":    {Action: List},  // only those are listed that may be read
	"/holdfast.v1.Flags/ListCommits": {Action: Read},
	"/holdfast.v1.Admin/ListClients": {Action: Admin},
	"/holdfast.v1.Admin/GetStatus":   {Action: Admin},

	"/holdfast.v1.Records/GetRecord":    {Action: Admin}, // of no set: for those whose key is for all
	"/holdfast.v1.Records/ListRecords":  {Action: Admin},
	"/holdfast.v1.Records/PutRecord":    {Action: Admin},
	"/holdfast.v1.Records/DeleteRecord": {Action: Admin},

	// What a balancer asks, and what the protocol is.
	"/grpc.health.v1.Health/Check":                                   {Public: true},
	"/grpc.health.v1.Health/List":                                    {Public: true},
	"/grpc.health.v1.Health/Watch":                                   {Public: true},
	"/grpc.reflection.v1.ServerReflection/ServerReflectionInfo":      {Public: true},
	"/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": {Public: true},

	// The ops listener, which is for machines of one's own.
	"GET /livez":        {Public: true},
	"GET /readyz":       {Public: true},
	"GET /metrics":      {Public: true},
	"GET /debug/pprof/": {Action: Admin},

	"/flagd.sync.v1.FlagSyncService/SyncFlags":     {Action: Sync},
	"/flagd.sync.v1.FlagSyncService/FetchAllFlags": {Action: Sync},
	"/flagd.sync.v1.FlagSyncService/GetMetadata":   {Action: Sync},

	"GET /api/v1/sets":                                   {Action: List}, // only those are listed that may be read
	"GET /api/v1/sets/{set}/head":                        {Action: Sync},
	"GET /api/v1/sets/{set}/snapshot":                    {Action: Sync},
	"GET /api/v1/sets/{set}/watch":                       {Action: Sync},
	"POST /api/v1/sets/{set}/watch/{id}/applied":         {Action: Sync},
	"GET /api/v1/sets/{set}/history":                     {Action: Read},
	"GET /api/v1/openapi.json":                           {Public: true},
	"GET /api/v1/clients":                                {Action: Admin},
	"GET /api/v1/sets/{set}":                             {Action: Sync},
	"PUT /api/v1/sets/{set}":                             {Action: Admin},
	"DELETE /api/v1/sets/{set}":                          {Action: Admin},
	"POST /api/v1/sets/{set}/import":                     {Action: Write},
	"POST /api/v1/sets/{set}/rollback":                   {Action: Write},
	"GET /api/v1/sets/{set}/flags":                       {Action: Read},
	"GET /api/v1/sets/{set}/flags/{key}":                 {Action: Read},
	"PUT /api/v1/sets/{set}/flags/{key}":                 {Action: Write},
	"PATCH /api/v1/sets/{set}/flags/{key}":               {Action: Write},
	"DELETE /api/v1/sets/{set}/flags/{key}":              {Action: Write},
	"GET /api/v1/sets/{set}/evaluators":                  {Action: Read},
	"GET /api/v1/sets/{set}/evaluators/{name}":           {Action: Read},
	"PUT /api/v1/sets/{set}/evaluators/{name}":           {Action: Write},
	"DELETE /api/v1/sets/{set}/evaluators/{name}":        {Action: Write},
	"GET /api/v1/sets/{set}/overrides":                   {Action: Read},
	"GET /api/v1/sets/{set}/overrides/{entity}/{key}":    {Action: Read},
	"PUT /api/v1/sets/{set}/overrides/{entity}/{key}":    {Action: Write},
	"DELETE /api/v1/sets/{set}/overrides/{entity}/{key}": {Action: Write},
	"GET /api/v1/sets/{set}/export":                      {Action: Read},

	// The set is that of the selector, or the only one of the key, or the default one.
	"/flagd.evaluation.v1.Service/ResolveBoolean": {Action: Evaluate},
	"/flagd.evaluation.v1.Service/ResolveString":  {Action: Evaluate},
	"/flagd.evaluation.v1.Service/ResolveFloat":   {Action: Evaluate},
	"/flagd.evaluation.v1.Service/ResolveInt":     {Action: Evaluate},
	"/flagd.evaluation.v1.Service/ResolveObject":  {Action: Evaluate},
	"/flagd.evaluation.v1.Service/ResolveAll":     {Action: Evaluate},
	"/flagd.evaluation.v1.Service/EventStream":    {Action: Evaluate},
	"/flagd.evaluation.v2.Service/ResolveBoolean": {Action: Evaluate},
	"/flagd.evaluation.v2.Service/ResolveString":  {Action: Evaluate},
	"/flagd.evaluation.v2.Service/ResolveFloat":   {Action: Evaluate},
	"/flagd.evaluation.v2.Service/ResolveInt":     {Action: Evaluate},
	"/flagd.evaluation.v2.Service/ResolveObject":  {Action: Evaluate},
	"/flagd.evaluation.v2.Service/EventStream":    {Action: Evaluate},
	"/schema.v1.Service/ResolveBoolean":           {Action: Evaluate},
	"/schema.v1.Service/ResolveString":            {Action: Evaluate},
	"/schema.v1.Service/ResolveFloat":             {Action: Evaluate},
	"/schema.v1.Service/ResolveInt":               {Action: Evaluate},
	"/schema.v1.Service/ResolveObject":            {Action: Evaluate},
	"/schema.v1.Service/ResolveAll":               {Action: Evaluate},
	"/schema.v1.Service/EventStream":              {Action: Evaluate},

	"POST /ofrep/v1/evaluate/flags":       {Action: Evaluate},
	"POST /ofrep/v1/evaluate/flags/{key}": {Action: Evaluate},
	"GET /ofrep/v1/sse":                   {Action: Evaluate}, // by a ticket in the URL, too: see WithTicket

	// The admin page. Without access control everybody may do all of it.
	"GET /{$}":                {Action: List},
	"GET /static/{name}":      {Public: true},
	"GET /login":              {Public: true},
	"POST /login":             {Public: true},
	"POST /logout":            {Public: true},
	"GET /s/{set}/flags":      {Action: Read},
	"GET /s/{set}/flag":       {Action: Read},
	"POST /s/{set}/flag":      {Action: Write},
	"GET /s/{set}/switch":     {Action: Read},
	"POST /s/{set}/switch":    {Action: Write},
	"GET /s/{set}/new":        {Action: Write},
	"POST /s/{set}/new":       {Action: Write},
	"POST /s/{set}/check":     {Action: Read},
	"GET /s/{set}/segments":   {Action: Read},
	"POST /s/{set}/segments":  {Action: Write},
	"GET /s/{set}/entity":     {Action: Read},
	"POST /s/{set}/entity":    {Action: Write},
	"GET /s/{set}/playground": {Action: Read},
	"GET /sets":               {Action: List},
	"POST /sets":              {Action: Admin},
	"GET /sets/compare":       {Action: List},
	"POST /s/{set}/promote":   {Action: Write},
	"GET /keys":               {Action: Admin},
	"POST /keys":              {Action: Admin},
	"GET /health":             {Action: Admin},
	"GET /s/{set}/history":    {Action: Read},
	"GET /s/{set}/rollback":   {Action: Write},
	"POST /s/{set}/rollback":  {Action: Write},
	"GET /s/{set}/commit":     {Action: Read},
	"POST /s/{set}/revert":    {Action: Write},
	"GET /s/{set}/import":     {Action: Write},
	"POST /s/{set}/import":    {Action: Write},
	"GET /s/{set}/live":       {Action: Read},
	"/":                       {Public: true},
}

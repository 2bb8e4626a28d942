// Package openfeature is an OpenFeature provider over a [flags.Client]: code written against
// github.com/open-feature/go-sdk reads flags from memory, through every layer that the client has.
//
//	client, err := standard.New(ctx, standard.Config{Primary: "grpc://router:8015"})
//	...
//	err = of.SetProviderAndWait(openfeature.NewProvider(client))
//	enabled := of.NewClient("app").Boolean(ctx, "new-checkout", false, of.NewEvaluationContext("tenant-42", map[string]any{"plan": "pro"}))
//
// States. Init waits for a first set. READY: the set was confirmed by its origin lately. STALE: the
// last known set is served. ERROR: no set is held, and reads give their defaults. FATAL: the same, and the first layer
// has denied the credentials; a client that holds a set goes on serving it, as STALE. Each change is an event;
// PROVIDER_CONFIGURATION_CHANGED names the flags that changed since the last one, or none where an evaluator or the set's
// metadata changed and any flag may be meant.
//
// Details. Reason, variant and error code are those of package flags, one to one. A flag without a value for
// the context gives the caller's default with DEFAULT or DISABLED, without an error. FlagMetadata is the flag's
// metadata over that of its set (numbers as float64), and [MetadataRevision]; [MetadataFreshness] is there where
// the answer is not fresh, while the reason stays that of the evaluation. The SDK copies it for each read;
// [Options].WithoutMetadata leaves it out.
//
// The evaluation context is read where it is, attribute by attribute as rules ask. All numbers are float64 to
// rules, which holds every integer up to 2^53 either way: write longer ids as text. A time.Time is RFC 3339 text; named types, slices,
// arrays and maps with text keys are what they hold; structs, and whatever else encoding/json can write, are what it writes. An
// attribute that none of this fits, such as a channel, gives INVALID_CONTEXT to the reads whose rule asks for it, and the default.
//
// What the Go context demands ([flags.AtLeast], [flags.Fresh], [flags.Strict], a pin, a session) holds
// for reads through OpenFeature too. The hooks of the client run inside those of the SDK.
package openfeature

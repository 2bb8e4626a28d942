// Package flagcases is what flags must mean, as data: a flag set and some two
// hundred questions with their answers, derived by hand from flagd's documented
// behaviour. It knows nothing of how they are asked, so that the same table holds
// for the evaluation in memory and for every protocol that carries it.
package flagcases

import "slices"

// Case is one question about a flag of [Document] or [Unchecked].
type Case struct {
	Flag    string
	Type    Type
	Context string // JSON object; "" is the empty context
	Value   string // JSON; "" is "the caller's own default"
	Variant string
	Reason  string // OpenFeature's name
	Error   string // OpenFeature's error code, or ""
}

// Name returns what tells the case from the others in the output of a test.
func (c Case) Name() string {
	return c.Flag + "/" + string(c.Type) + "/" + c.Context[:min(len(c.Context), 60)]
}

// Type is the type that a flag is asked for by.
type Type string

// The types.
const (
	Boolean Type = "boolean"
	Text    Type = "string"
	Integer Type = "integer"
	Float   Type = "float"
	Object  Type = "object"
)

// The reasons and errors.
const (
	static   = "STATIC"
	standard = "DEFAULT"
	match    = "TARGETING_MATCH"
	disabled = "DISABLED"
	failed   = "ERROR"

	notFound = "FLAG_NOT_FOUND"
	parse    = "PARSE_ERROR"
	mismatch = "TYPE_MISMATCH"
	general  = "GENERAL"
)

// All returns every case.
func All() []Case {
	return slices.Concat(stateCases, typeCases, resultCases, operatorCases, fractionalCases, overrideCases, brokenCases)
}

// MetadataCase is what the metadata of a flag's answer must be.
type MetadataCase struct {
	Flag string
	Want string // JSON object
}

// Metadata are the cases of metadata and its inheritance.
var Metadata = []MetadataCase{
	{"bool-on", `{"flagSetId":"cases","level":1,"team":"set"}`},
	{"with-metadata", `{"flagSetId":"cases","level":2,"owner":"pay","team":"set"}`},
	{"own-set-id", `{"flagSetId":"mine","level":1,"team":"set"}`},
	{"disabled", `{"flagSetId":"cases","level":3,"team":"set"}`},
	{"nowhere", `{"flagSetId":"cases","level":1,"team":"set"}`},
}

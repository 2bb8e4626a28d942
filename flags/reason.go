package flags

import "fmt"

// Reason says why a flag resolved to its value. The names are OpenFeature's.
type Reason uint8

// The reasons.
const (
	// ReasonError: the value is the caller's default; the error code says why.
	ReasonError Reason = iota
	// ReasonStatic: the flag has neither rule nor overrides: every context gets this value.
	ReasonStatic
	// ReasonDefault: rule and overrides had nothing to say about this context.
	ReasonDefault
	// ReasonTargetingMatch: the rule or an override chose the variant.
	ReasonTargetingMatch
	// ReasonDisabled: the flag is disabled; the value is the caller's default.
	ReasonDisabled
)

var reasonNames = [...]string{"ERROR", "STATIC", "DEFAULT", "TARGETING_MATCH", "DISABLED"}

// String returns OpenFeature's name of the reason, e.g. "TARGETING_MATCH".
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return fmt.Sprintf("REASON(%d)", uint8(r))
}

// MarshalText returns OpenFeature's name of the reason.
func (r Reason) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// ErrorCode says what kept a flag from being resolved. The names are OpenFeature's.
type ErrorCode uint8

// The error codes.
const (
	// ErrorNone: there was no error.
	ErrorNone ErrorCode = iota
	// ErrorProviderNotReady: no flag set was ever held.
	ErrorProviderNotReady
	// ErrorFlagNotFound: the set has no such flag.
	ErrorFlagNotFound
	// ErrorParse: the flag's definition is broken.
	ErrorParse
	// ErrorTypeMismatch: the value is not of the type asked for, or is a number
	// that an int64 cannot hold without loss.
	ErrorTypeMismatch
	// ErrorGeneral: the rule failed, or chose a variant that the flag does not have.
	ErrorGeneral
)

var errorCodeNames = [...]string{"", "PROVIDER_NOT_READY", "FLAG_NOT_FOUND", "PARSE_ERROR", "TYPE_MISMATCH", "GENERAL"}

// String returns OpenFeature's name of the code, or "" for ErrorNone.
func (c ErrorCode) String() string {
	if int(c) < len(errorCodeNames) {
		return errorCodeNames[c]
	}
	return fmt.Sprintf("ERROR(%d)", uint8(c))
}

// MarshalText returns OpenFeature's name of the code.
func (c ErrorCode) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// Freshness says how far the answer can be trusted to be the newest. It stands
// beside the reason, never in its place.
type Freshness uint8

// The freshnesses.
const (
	// FreshnessFresh: the set was confirmed by its origin within the bound.
	FreshnessFresh Freshness = iota
	// FreshnessStale: the set is the last known one; its origin has not confirmed it lately.
	FreshnessStale
	// FreshnessNotFresh: the read demanded a version or a confirmation that could not be had.
	FreshnessNotFresh
)

var freshnessNames = [...]string{"FRESH", "STALE", "NOT_FRESH"}

// String returns "FRESH", "STALE" or "NOT_FRESH".
func (f Freshness) String() string {
	if int(f) < len(freshnessNames) {
		return freshnessNames[f]
	}
	return fmt.Sprintf("FRESHNESS(%d)", uint8(f))
}

// MarshalText returns the name of the freshness.
func (f Freshness) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

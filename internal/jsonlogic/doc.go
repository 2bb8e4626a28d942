// Package jsonlogic compiles JsonLogic rules, with flagd's additions, into programs that evaluate without allocating.
//
// It knows nothing of flags: a rule and a context go in, a value comes out.
//
//	rule, err := jsonlogic.ParseJSON(text)
//	program, err := jsonlogic.Compile(rule, jsonlogic.Options{FlagKey: "new-checkout"})
//	result, err := program.Eval(attributes, jsonlogic.Env{})
//
// Semantics are those of json-logic-js, coercions and truthiness included, plus flagd's fractional (version 2
// bucketing), sem_ver, starts_with, ends_with, $ref and the $flagd variables. The differences, all deliberate:
//
//   - An unknown operator, log, and an unknown or nested $ref are faults at compile time.
//   - Only data is reachable: no JavaScript prototype members such as toString.
//   - Arrays and objects are never equal to arrays and objects ("==", "===", in), the same one included: a value has no identity.
//   - Characters are Unicode code points, not UTF-16 units (substr, length); strings order by code point.
//   - The names given to missing and missing_some are data and are not evaluated a second time.
//   - What throws in JavaScript (an empty "*", null options of missing_some) is null here.
//   - Work is bounded: past Options.MaxSteps evaluation ends with ErrBudget.
//
// Programs, values and attributes are immutable and safe for concurrent use.
package jsonlogic

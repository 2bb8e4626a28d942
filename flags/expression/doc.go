// Package expression is the targeting language for people: conditions such as
//
//	country in ["NZ", "AU"] && plan == "pro" && !startsWith(email, "test")
//
// that compile to JsonLogic and back.
//
//	rule, err := expression.Compile(text)  // canonical JsonLogic that every flagd provider understands
//	text, ok := expression.Show(rule)      // the expression that compiles to exactly this rule
//
// An expression is another notation of its rule, not something beside it: nothing but the rule is stored. Each rule has
// one expression at most, so what was compiled is always shown in one normal form; a rule that has none (ok is false)
// is to be shown as JSON. [Targeting] is the same for the whole targeting of a flag, as a list of conditions and what
// they serve.
//
// The grammar, in which spaces and line breaks separate and mean nothing else:
//
//	condition = all { "||" all }
//	all       = test { "&&" test }
//	test      = "!" test | "(" condition ")" | "true" | "false" | attribute
//	          | value ( "==" | "!=" | "===" | "!==" | "<" | "<=" | ">" | ">=" ) value
//	          | value [ "not" ] "in" ( list | attribute | string | segment )
//	          | "semver" "(" attribute ")" ( "==" | "!=" | "<" | "<=" | ">" | ">=" | "~" | "^" ) ( string | attribute )
//	          | ( "startsWith" | "endsWith" ) "(" text "," text ")"
//	          | "contains" "(" ( attribute | string | list | segment ) "," value ")"
//	          | ( "has" | "missing" ) "(" attribute { "," attribute } ")"
//	          | "percent" "(" number [ "," "by" ":" attribute ] [ "," "seed" ":" string ] ")"
//	          | segment
//	segment   = "segment" "(" string ")"
//	value     = attribute | string | number | "true" | "false" | "null"
//	text      = attribute | string
//	list      = "[" [ literal { "," literal } ] "]"
//	attribute = name { "." name } | "attr" "(" string ")"
//
// All functions are safe for concurrent use.
package expression

package jsonlogic_test

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

func Example() {
	rule, err := jsonlogic.ParseJSON([]byte(`{"if": [
		{"in": [{"var": "country"}, ["NZ", "AU"]]}, "on",
		{"fractional": [["on", 25], ["off", 75]]}
	]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	program, err := jsonlogic.Compile(rule, jsonlogic.Options{FlagKey: "new-checkout"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := jsonlogic.NewAttributes(
		jsonlogic.Attribute{Name: jsonlogic.TargetingKey, Value: jsonlogic.String("tenant-42")},
		jsonlogic.Attribute{Name: jsonlogic.Intern("country"), Value: jsonlogic.String("NZ")},
	)
	result, err := program.Eval(ctx, jsonlogic.Env{})
	fmt.Println(result.Str(), err)
	// Output: on <nil>
}

func ExampleCompile_faults() {
	rule, err := jsonlogic.ParseJSON([]byte(`{"and": [{"equals": [1, 1]}, {"$ref": "staff"}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = jsonlogic.Compile(rule, jsonlogic.Options{})
	fmt.Println(err)
	// Output: .and[0]: unknown operator "equals"; .and[1].$ref: unknown evaluator "staff" in $ref
}

package expression_test

import (
	"errors"
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

func Example() {
	rule, err := expression.Compile(`country in ["NZ", "AU"] && !startsWith(email, "test")`)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(rule))
	fmt.Println(expression.Show(rule))
	// Output:
	// {"and":[{"in":[{"var":"country"},["NZ","AU"]]},{"!":{"starts_with":[{"var":"email"},"test"]}}]}
	// country in ["NZ", "AU"] && !startsWith(email, "test") true
}

func ExampleError_Caret() {
	_, err := expression.Compile(`plan == "pro" && startWith(email, "test")`)
	var fault *expression.Error
	if errors.As(err, &fault) {
		fmt.Println(fault.Message)
		fmt.Println(fault.Caret())
		fmt.Println(fault.Hint)
	}
	// Output:
	// unknown function "startWith"
	// plan == "pro" && startWith(email, "test")
	//                  ^
	// did you mean startsWith?
}

func ExampleTargeting() {
	targeting := expression.Targeting{
		Rules: []expression.Rule{
			{When: `segment("staff")`, Serve: expression.Serve{Variant: "on"}},
			{When: `plan == "pro"`, Serve: expression.Serve{Split: []flags.Share{{Variant: "on", Weight: 25}, {Variant: "off", Weight: 75}}}},
		},
		Else: expression.Serve{Variant: "off"},
	}
	rule, err := targeting.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(rule))
	shown, ok := expression.ShowTargeting(rule)
	fmt.Println(ok)
	fmt.Println(shown)
	// Output:
	// {"if":[{"$ref":"staff"},"on",{"==":[{"var":"plan"},"pro"]},{"fractional":[["on",25],["off",75]]},"off"]}
	// true
	// when segment("staff") serve on
	// when plan == "pro" serve on = 25, off = 75
	// else off
}

package flags_test

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

func ExampleDefinition() {
	d, err := flags.ParseDefinition([]byte(`{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off","owner":"pay"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err = d.WithDefaultVariant("on").WithTargeting([]byte(`{"fractional": [["on", 25], ["off", 75]]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Type(), d.Enabled())
	fmt.Println(d)
	// Output:
	// boolean true
	// {"defaultVariant":"on","owner":"pay","state":"ENABLED","targeting":{"fractional":[["on",25],["off",75]]},"variants":{"off":false,"on":true}}
}

func ExampleDocument_Check() {
	doc, err := flags.ParseDocument([]byte(`{"flags": {
  "new-checkout": {
    "variants": {"on": true, "off": 0},
    "defaultVariant": "onn",
    "targeting": {"if": [{"ends_width": [{"var": "email"}, "@example.com"]}, "on"]}
  }
}}`), "flags.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Check())
	// Output:
	// flags: invalid: 3 faults:
	//   flags.json:3:37: $.flags.new-checkout.variants.off: this is a number but "on" is a boolean; variants are all of one type
	//   flags.json:4:23: $.flags.new-checkout.defaultVariant: "onn" is no variant; known: "off", "on"; did you mean "on"?
	//   flags.json:5:26: $.flags.new-checkout.targeting.if[0]: unknown operator "ends_width"; did you mean "ends_with"?
}

func ExampleContents_CheckChanges() {
	set := flags.NewContents("default")
	err := set.CheckChanges(flags.OpCreate, []flags.Mutation{
		{Key: flags.OverrideKey("new-checkout", "tenant-42"), Bytes: []byte(`{"variant":"on"}`)},
	})
	fmt.Println(err)
	// Output:
	// flags: invalid: $.flags.new-checkout.x-overrides.tenant-42: there is no flag "new-checkout"; create it in the same commit or before
}

package flagdfile_test

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags/flagdfile"
)

func Example() {
	doc, err := flagdfile.Parse([]byte(`
flags:
  new-checkout:
    state: ENABLED
    variants: {on: true, off: false}
    defaultVariant: off
`), "flags.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := doc.Check(); err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range doc.Entries() {
		fmt.Println(e.Key, string(e.Bytes))
	}
	// Output:
	// flag "new-checkout" {"defaultVariant":"off","state":"ENABLED","variants":{"off":false,"on":true}}
}

func ExampleFormat_Format() {
	doc, err := flagdfile.Parse([]byte(`{"flags":{"limit":{"variants":{"low":1e1,"high":100.50},"defaultVariant":null}}}`), "flags.json")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := flagdfile.YAML.Format(doc.Entries())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(string(text))
	// Output:
	// flags:
	//   limit:
	//     defaultVariant: null
	//     variants:
	//       high: 100.50
	//       low: 1e1
}

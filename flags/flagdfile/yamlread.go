package flagdfile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/holdfast-flags/holdfast/flags"
)

// maxYAMLBytes is less than what JSON may have, as the library takes some hundred
// bytes of memory for each value before we get to see any.
const maxYAMLBytes = 8 << 20

// parseYAML converts YAML to JSON, so that there is one reader of flag files.
func parseYAML(data []byte, name string) (*flags.Document, error) {
	text, position, fault := convertYAML(data)
	if fault != nil {
		return nil, &flags.ValidationError{File: name, Faults: []flags.Fault{*fault}}
	}
	return flags.ParseConverted(text, name, position)
}

// convertYAML returns YAML as JSON, and where in the YAML each byte of it came from.
func convertYAML(data []byte) (text []byte, position func(offset int) (line, column int), fault *flags.Fault) {
	root, fault := decodeYAML(data)
	if fault != nil {
		return nil, nil, fault
	}
	// Aliases may make a file a little larger, not explode it.
	c := &converter{limit: min(flags.MaxDocumentBytes, 16*len(data)+1<<16)}
	if fault = c.value(root, 0); fault != nil {
		return nil, nil, fault
	}
	return c.out, c.position, nil
}

// lineInMessage finds where a message of the YAML library says the fault is.
var lineInMessage = regexp.MustCompile(`^line (\d+): `)

func decodeYAML(data []byte) (*yaml.Node, *flags.Fault) {
	if len(data) > maxYAMLBytes {
		return nil, faultAt(nil, "%d bytes are too much for YAML, at most %d; JSON may have %d", len(data), maxYAMLBytes, flags.MaxDocumentBytes)
	}
	d := yaml.NewDecoder(bytes.NewReader(data))
	var root, second yaml.Node
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, faultAt(nil, `an empty file; one without flags says "flags: {}"`)
		}
		reason := strings.TrimPrefix(err.Error(), "yaml: ")
		fault := faultAt(nil, "%s", lineInMessage.ReplaceAllString(reason, ""))
		if m := lineInMessage.FindStringSubmatch(reason); m != nil {
			fault.Line, _ = strconv.Atoi(m[1])
			fault.Column = 1
			if strings.HasPrefix(fault.Reason, "did not find expected") {
				fault.Line++ // the library counts the lines of its parser from 0, of its scanner from 1
			}
		}
		return nil, fault
	}
	if err := d.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, faultAt(&second, "a second YAML document; a flag file has one")
	}
	return &root, nil
}

func faultAt(n *yaml.Node, format string, args ...any) *flags.Fault {
	f := &flags.Fault{Path: "$", Reason: fmt.Sprintf(format, args...), Offset: -1}
	if n != nil {
		f.Line, f.Column = n.Line, n.Column
	}
	return f
}

// converter writes YAML nodes as JSON and remembers where each came from.
type converter struct {
	out   []byte
	limit int
	marks []mark
}

// mark says that from offset on, the JSON stands for what is at line and column.
type mark struct{ offset, line, column int }

func (c *converter) position(offset int) (line, column int) {
	i, found := slices.BinarySearchFunc(c.marks, offset, func(m mark, at int) int { return m.offset - at })
	if !found {
		i--
	}
	if i < 0 {
		return 1, 1
	}
	return c.marks[i].line, c.marks[i].column
}

func (c *converter) value(n *yaml.Node, depth int) *flags.Fault {
	c.marks = append(c.marks, mark{len(c.out), n.Line, n.Column})
	switch {
	case len(c.out) > c.limit:
		return faultAt(n, "aliases make this file larger than %d bytes; write out less", c.limit)
	case depth > flags.MaxDepth:
		return faultAt(n, "nested deeper than %d levels", flags.MaxDepth)
	}
	switch n.Kind {
	case yaml.DocumentNode:
		return c.value(n.Content[0], depth)
	case yaml.AliasNode:
		return c.value(n.Alias, depth+1) // an alias inside its own anchor ends at MaxDepth
	case yaml.SequenceNode:
		return c.sequence(n, depth)
	case yaml.MappingNode:
		return c.mapping(n, depth)
	default:
		return c.scalar(n)
	}
}

func (c *converter) sequence(n *yaml.Node, depth int) *flags.Fault {
	c.out = append(c.out, '[')
	for i, e := range n.Content {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		if fault := c.value(e, depth+1); fault != nil {
			return fault
		}
	}
	c.out = append(c.out, ']')
	return nil
}

func (c *converter) mapping(n *yaml.Node, depth int) *flags.Fault {
	c.out = append(c.out, '{')
	for i := 0; i+1 < len(n.Content); i += 2 {
		if i > 0 {
			c.out = append(c.out, ',')
		}
		key := n.Content[i]
		switch {
		case key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge":
			return faultAt(key, "merge keys (<<) are not taken; write the fields out")
		case key.Kind != yaml.ScalarNode:
			return faultAt(key, "a name must be plain text")
		}
		c.marks = append(c.marks, mark{len(c.out), key.Line, key.Column})
		c.text(key.Value)
		c.out = append(c.out, ':')
		if fault := c.value(n.Content[i+1], depth+1); fault != nil {
			return fault
		}
	}
	c.out = append(c.out, '}')
	return nil
}

func (c *converter) text(s string) {
	b, _ := json.Marshal(s) // a string always has a JSON form
	c.out = append(c.out, b...)
}

func (c *converter) scalar(n *yaml.Node) *flags.Fault {
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp": // JSON has no dates, and flags no use for them
		c.text(n.Value)
	case "!!null":
		c.out = append(c.out, "null"...)
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return faultAt(n, "%q is no boolean", n.Value)
		}
		c.out = strconv.AppendBool(c.out, b)
	case "!!int", "!!float":
		return c.number(n)
	default:
		return faultAt(n, "a value tagged %s has no JSON form", tag)
	}
	return nil
}

// number keeps a literal that JSON can read too, so that nothing is lost.
func (c *converter) number(n *yaml.Node) *flags.Fault {
	if json.Valid([]byte(n.Value)) {
		c.out = append(c.out, n.Value...)
		return nil
	}
	var whole int64
	if n.ShortTag() == "!!int" && n.Decode(&whole) == nil {
		c.out = strconv.AppendInt(c.out, whole, 10)
		return nil
	}
	var f float64
	if err := n.Decode(&f); err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return faultAt(n, "%q is no number that JSON can hold", n.Value)
	}
	c.out = strconv.AppendFloat(c.out, f, 'g', -1, 64)
	return nil
}

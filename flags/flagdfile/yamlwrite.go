package flagdfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// FormatYAML writes one JSON value as block YAML: members in their order, numbers as they
// were written. The error is of a text that is not JSON.
func FormatYAML(data []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	root, err := nextNode(d)
	if err != nil {
		return nil, fmt.Errorf("flagdfile: %w", err)
	}
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("flagdfile: %w", err)
	}
	if err := e.Close(); err != nil {
		return nil, fmt.Errorf("flagdfile: %w", err)
	}
	return out.Bytes(), nil
}

// nextNode reads one JSON value. Reading tokens, not maps, keeps order and literals.
func nextNode(d *json.Decoder) (*yaml.Node, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch v := token.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if v == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for d.More() { // the name of a member is a value like any other here
			child, err := nextNode(d)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		_, err := d.Token() // the end
		return n, err
	case string:
		n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}
		if oldBoolean.MatchString(v) {
			n.Style = yaml.DoubleQuotedStyle
		}
		return n, nil
	case json.Number:
		return number(v.String()), nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

// oldBoolean are the words that YAML 1.1, which many still read, takes for booleans: on and
// off are what most variants are called. The library quotes those of YAML 1.2 by itself.
var oldBoolean = regexp.MustCompile(`^(?i:y|n|yes|no|on|off)$`)

// number leaves the tag of a literal to YAML: what it reads as it is written as.
func number(literal string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: literal}
	n.Tag = n.ShortTag()
	return n
}

package flagdfile

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v3"
)

// formatYAML writes a JSON document as block YAML, in the order of its members.
func formatYAML(data []byte) ([]byte, error) {
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
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: v}, nil
	case json.Number:
		return number(v.String()), nil
	case bool:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(v)}, nil
	default:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}, nil
	}
}

// number leaves the tag of a literal to YAML: what it reads as it is written as.
func number(literal string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.ScalarNode, Value: literal}
	n.Tag = n.ShortTag()
	return n
}

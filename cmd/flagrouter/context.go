package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// staticContext is what every evaluation sees. Values are text, as with flagd.
func (c *config) staticContext() (map[string]flags.Value, error) {
	pairs, err := pairsOf("--context", "KEY=VALUE", c.context)
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	values := make(map[string]flags.Value, len(pairs))
	for key, value := range pairs {
		values[key] = flags.StringValue(value)
	}
	return values, nil
}

// headerContext is which attribute each request header becomes.
func (c *config) headerContext() (map[string]string, error) {
	pairs, err := pairsOf("--context-from-header", "HEADER=KEY", c.contextFromHeader)
	if err != nil || len(pairs) == 0 {
		return nil, err
	}
	canonical, by := make(map[string]string, len(pairs)), map[string]string{}
	for header, key := range pairs {
		if strings.ContainsAny(header, " :") || key == "" {
			return nil, fmt.Errorf("--context-from-header %q: want HEADER=KEY", header+"="+key)
		}
		header = http.CanonicalHeaderKey(header)
		if _, twice := canonical[header]; twice {
			return nil, fmt.Errorf("--context-from-header says %s twice", header)
		}
		if other, twice := by[key]; twice {
			return nil, fmt.Errorf("--context-from-header: %s and %s cannot both be %s", min(header, other), max(header, other), key)
		}
		canonical[header], by[key] = key, header
	}
	return canonical, nil
}

func pairsOf(flag, form string, said []string) (map[string]string, error) {
	pairs := make(map[string]string, len(said))
	for _, text := range said {
		key, value, ok := strings.Cut(text, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%s %q: want %s", flag, text, form)
		}
		if _, twice := pairs[key]; twice {
			return nil, fmt.Errorf("%s says %s twice", flag, key)
		}
		pairs[key] = value
	}
	return pairs, nil
}

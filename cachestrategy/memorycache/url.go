package memorycache

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// Open returns the cache that a URL such as
//
//	memory:?max-entries=10000&max-bytes=64MiB
//
// describes. Both parameters may be left out; bytes take the units B (default),
// KiB, MiB and GiB. The error says which part of the URL is wrong.
func Open(rawURL string) (*Cache, error) {
	o, err := parseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("memorycache: %q: %w", rawURL, err)
	}
	return New(o), nil
}

func parseURL(rawURL string) (*Options, error) {
	rest, named := strings.CutPrefix(rawURL, "memory")
	rest = strings.TrimPrefix(rest, ":")
	rest, isQuery := strings.CutPrefix(rest, "?")
	if !named || rest != "" && !isQuery {
		return nil, fmt.Errorf("want memory:?max-entries=N&max-bytes=N")
	}
	query, err := url.ParseQuery(rest)
	if err != nil {
		return nil, err
	}
	o := &Options{}
	for key, values := range query {
		n := uint64(0)
		switch key {
		case "max-entries":
			n, err = strconv.ParseUint(values[0], 10, 31)
			o.MaxEntries = int(n)
		case "max-bytes":
			n, err = parseBytes(values[0])
			o.MaxBytes = int64(n)
		default:
			return nil, fmt.Errorf("unknown parameter %q: want max-entries or max-bytes", key)
		}
		if err != nil || n == 0 || len(values) > 1 {
			return nil, fmt.Errorf("%s=%s: want one number above 0", key, strings.Join(values, ","))
		}
	}
	return o, nil
}

func parseBytes(s string) (uint64, error) {
	shift := 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if number, found := strings.CutSuffix(s, unit); found {
			s, shift = number, 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(strings.TrimSuffix(s, "B"), 10, 63-shift)
	return n << shift, err
}

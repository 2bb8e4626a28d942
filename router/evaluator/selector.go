package evaluator

import (
	"fmt"
	"strings"
)

// SelectorHeader is the request header that says which set is meant, in net/http's
// form. gRPC metadata has it in lower case.
const SelectorHeader = "Flagd-Selector"

// The keys of selectors. Both name the flag set; a source label is the name of the
// set that the flags are in.
const (
	keySource    = "source"
	keyFlagSetID = "flagSetId"
)

// Selector is what a request said about the set it means.
type Selector struct {
	Key   string // "flagSetId" or "source"; "" if nothing was said
	Value string // name of the set; "" means the default one
}

// SelectorError is a selector with a key that is none. Its text is flagd's.
type SelectorError struct{ Key string }

func (e *SelectorError) Error() string {
	return fmt.Sprintf("invalid selector key %q, valid keys: %q, %q", e.Key, keyFlagSetID, keySource)
}

// ParseSelector reads flagSetId=NAME, source=NAME or NAME alone, which is a source.
// The error is a *SelectorError.
func ParseSelector(text string) (Selector, error) {
	text = strings.TrimSpace(text)
	key, value, ok := strings.Cut(text, "=")
	switch key, value = strings.TrimSpace(key), strings.TrimSpace(value); {
	case text == "":
		return Selector{}, nil
	case !ok:
		return Selector{keySource, text}, nil
	case key == keySource, key == keyFlagSetID:
		return Selector{key, value}, nil
	default:
		return Selector{}, &SelectorError{key}
	}
}

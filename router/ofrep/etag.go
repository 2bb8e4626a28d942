package ofrep

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// sum is a hash of a piece of an answer.
type sum [16]byte

func sumOf(text []byte) sum {
	whole := sha256.Sum256(text)
	return sum(whole[:])
}

// etagOf is the validator of a bulk answer: a hash of the sums of its pieces, in their
// order, so that an answer of many flags is not hashed whole for each request. The
// pieces are all that a client acts on, which is everything but the revision.
//
// A commit that changes nothing for this context would otherwise be a new answer, and
// web providers raise ConfigurationChanged for each. The context is in it by its
// effect, so that values of another context are never taken for current.
func etagOf(sums []byte) string {
	whole := sumOf(sums)
	var text [2 + 2*len(whole)]byte
	text[0], text[len(text)-1] = '"', '"'
	hex.Encode(text[1:], whole[:])
	return string(text[:])
}

// matches reports whether an If-None-Match header has the tag: in quotes or, as some
// clients send it, without, weak or strong.
func matches(headers []string, etag string) bool {
	want := strings.Trim(etag, `"`)
	for _, h := range headers {
		for tag := range strings.SplitSeq(h, ",") {
			tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
			if strings.Trim(tag, `"`) == want {
				return true
			}
		}
	}
	return false
}

package mongostore

import (
	"encoding/base64"
	"fmt"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/holdfast-flags/holdfast/flags"
)

// Keys sort as the versions in them do: numbers have 20 digits, as many as the
// largest uint64. Set names and lineages contain no slash.

func versionKey(v flags.Version) string { return fmt.Sprintf("%020d/%020d", v.Epoch, v.Revision) }

// journalKey does without the lineage on purpose: where two writers create a set
// at the same time, one of them must lose.
func journalKey(set string, v flags.Version) string { return set + "/" + versionKey(v) }

// lineageKey is that of what is kept of one lineage at a version.
func lineageKey(set string, l flags.Lineage, v flags.Version) string {
	return set + "/" + string(l) + "/" + versionKey(v)
}

// under matches all keys that begin with prefix and a slash.
func under(prefix string) bson.D {
	return between(prefix+"/", prefix+"0") // 0 comes after the slash
}

// between matches keys from low up to, not including, high.
func between(low, high string) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: low}, {Key: "$lt", Value: high}}}}
}

// after matches the journal of a set after one version, up to and including another.
func after(set string, v, to flags.Version) bson.D {
	if to == (flags.Version{Epoch: v.Epoch, Revision: v.Revision + 1}) {
		return byID(journalKey(set, to)) // by far the most frequent case is the cheapest query
	}
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$gt", Value: journalKey(set, v)}, {Key: "$lte", Value: journalKey(set, to)}}}}
}

func byID(id string) bson.D { return bson.D{{Key: "_id", Value: id}} }

// headText is a head as one string that sorts by version, so that $max raises
// all of it or nothing. Two heads of one lineage at one version are the same.
func headText(h flags.Head) string {
	b, _ := h.MarshalBinary() // never fails
	return versionKey(h.Version) + " " + base64.StdEncoding.EncodeToString(b)
}

// parseHead reads what headText wrote. The error wraps flags.ErrFormat.
func parseHead(text string) (flags.Head, error) {
	var h flags.Head
	version, encoded, _ := strings.Cut(text, " ")
	b, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return h, fmt.Errorf("%w: head %q", flags.ErrFormat, text)
	}
	if err := h.UnmarshalBinary(b); err != nil {
		return h, err
	}
	if version != versionKey(h.Version) {
		return h, fmt.Errorf("%w: head of %s under the key %q", flags.ErrFormat, h.Token(), version)
	}
	return h, nil
}

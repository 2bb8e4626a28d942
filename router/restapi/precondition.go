package restapi

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// entryTag is the entity tag of an entry: the revision that it was last changed at,
// and of which history.
func entryTag(head flags.Head, revision uint64) string {
	return fmt.Sprintf(`"%d.%d~%s"`, head.Epoch, revision, head.Lineage)
}

// entryMeets returns nil where an entry is what the request's If-Match and If-None-Match
// want, before it is changed. That it still is when the change is made is for the
// condition to see to that reading it has put on the edit.
func entryMeets(r *http.Request, head flags.Head, key flags.EntryKey, e flags.Entry, there bool) error {
	have := "nothing"
	if there {
		have = entryTag(head, e.Revision)
	}
	if want := r.Header.Get("If-Match"); want != "" && !(there && listed(want, have, false)) {
		return changed(head.Token(), fmt.Sprintf("%s is at %s, not at %.200s", key, have, want))
	}
	if unwanted := r.Header.Get("If-None-Match"); unwanted != "" && there && listed(unwanted, have, true) {
		return changed(head.Token(), fmt.Sprintf("%s is there, at %s", key, have))
	}
	return nil
}

// setMeets is entryMeets for a set, whose tag is its token.
func setMeets(r *http.Request, head flags.Head, there bool) error {
	if want := r.Header.Get("If-Match"); want != "" && !(there && listed(want, etag(head), false)) {
		return changed(head.Token(), fmt.Sprintf("the set is at %s, not at %.200s", head.Token(), want))
	}
	if unwanted := r.Header.Get("If-None-Match"); unwanted != "" && there && listed(unwanted, etag(head), true) {
		return changed(head.Token(), fmt.Sprintf("the set is there, at %s", head.Token()))
	}
	return nil
}

// listed reports whether a header names a tag. A weak one never matches strongly.
func listed(header, tag string, weakly bool) bool {
	for t := range strings.SplitSeq(header, ",") {
		t = strings.TrimSpace(t)
		if weakly {
			t = strings.TrimPrefix(t, "W/")
		}
		if t == "*" || t == tag {
			return true
		}
	}
	return false
}

// noEntry is the problem of an entry that is not there.
func noEntry(w http.ResponseWriter, head flags.Head, key flags.EntryKey) error {
	w.Header().Set(restwire.RevisionHeader, head.Token().String())
	p := restwire.NoEntry.With(fmt.Sprintf("no %s in %s", key, head.Token()))
	p.Token = head.Token().String()
	return problem(p)
}

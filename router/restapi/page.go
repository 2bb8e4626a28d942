package restapi

import (
	"encoding/json"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// page is a page of history.
type page struct {
	Head    restwire.Head     `json:"head"`
	Commits []restwire.Commit `json:"commits"`
	Next    string            `json:"next,omitempty"` // what to ask from for more; left out where there is none
}

func pageOf(head flags.Head, commits []flags.Commit, befores [][]store.Before, next flags.Version) page {
	p := page{Head: restwire.FromHead(head), Commits: make([]restwire.Commit, 0, len(commits))}
	for i := range commits {
		c := restwire.FromCommit(&commits[i])
		for j, b := range befores[i] {
			if b.Known && (b.Bytes == nil || json.Valid(b.Bytes)) {
				c.Changes[j].Before = restwire.OrNull(b.Bytes)
			}
		}
		p.Commits = append(p.Commits, c)
	}
	if !next.IsZero() {
		p.Next = next.String()
	}
	return p
}

package restapi

import (
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// page is a page of history.
type page struct {
	Head    restwire.Head     `json:"head"`
	Commits []restwire.Commit `json:"commits"`
	Next    string            `json:"next,omitempty"` // what to ask from for more; left out where there is none
}

func pageOf(head flags.Head, commits []flags.Commit, next flags.Version) page {
	p := page{Head: restwire.FromHead(head), Commits: make([]restwire.Commit, 0, len(commits))}
	for i := range commits {
		p.Commits = append(p.Commits, restwire.FromCommit(&commits[i]))
	}
	if !next.IsZero() {
		p.Next = next.String()
	}
	return p
}

package restapi

import (
	"encoding/json"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

// commit is a commit as people read it.
type commit struct {
	Token    string    `json:"token"`
	Epoch    uint64    `json:"epoch"`
	Revision uint64    `json:"revision"`
	ID       string    `json:"id"`
	Op       string    `json:"op"`
	Actor    actor     `json:"actor"`
	Reason   string    `json:"reason,omitempty"`
	Address  string    `json:"address,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Changes  []change  `json:"changes,omitempty"`
	Digest   string    `json:"digest"`
	Count    int       `json:"count"`
}

type actor struct {
	Kind string `json:"kind,omitempty"`
	ID   string `json:"id,omitempty"`
	Via  string `json:"via,omitempty"`
}

// change is a changed entry; without a value it was deleted.
type change struct {
	Kind    string          `json:"kind"`
	Name    string          `json:"name"`
	Entity  string          `json:"entity,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
	Deleted bool            `json:"deleted,omitempty"`
}

func readable(c *flags.Commit) commit {
	out := commit{
		Token: c.Head().Token().String(), Epoch: c.Epoch, Revision: c.Revision, ID: c.ID.String(), Op: c.Op.String(),
		Actor: actor(c.Actor), Reason: c.Reason, Address: c.Address, Time: c.Time,
		Digest: c.Digest.String(), Count: c.Count,
	}
	for _, m := range c.Changes {
		ch := change{Kind: m.Key.Kind.String(), Name: m.Key.Name, Entity: m.Key.Entity, Deleted: m.Bytes == nil}
		if json.Valid(m.Bytes) {
			ch.Value = m.Bytes
		}
		out.Changes = append(out.Changes, ch)
	}
	return out
}

// page is a page of history.
type page struct {
	Head    restwire.Head `json:"head"`
	Commits []commit      `json:"commits"`
	Next    string        `json:"next,omitempty"` // what to ask from for more; left out where there is none
}

func pageOf(head flags.Head, commits []flags.Commit, q historyQuery) page {
	p := page{Head: restwire.FromHead(head), Commits: make([]commit, 0, len(commits))}
	for i := range commits {
		p.Commits = append(p.Commits, readable(&commits[i]))
	}
	if n := len(commits); n == q.limit && commits[n-1].Version.Before(q.to) {
		next := commits[n-1].Version
		next.Revision++
		p.Next = next.String() // past the end of an epoch it is before the next one's first
	}
	return p
}

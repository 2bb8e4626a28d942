package restwire

import (
	"encoding/json"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Commit is a commit as people and scripts read it.
type Commit struct {
	Token    string    `json:"token"`
	Epoch    uint64    `json:"epoch"`
	Revision uint64    `json:"revision"`
	ID       string    `json:"id"`
	Op       string    `json:"op"`
	Actor    Actor     `json:"actor"`
	Reason   string    `json:"reason,omitempty"`
	Address  string    `json:"address,omitempty"`
	Time     time.Time `json:"time,omitzero"`
	Changes  []Change  `json:"changes,omitempty"`
	Digest   string    `json:"digest"`
	Count    int       `json:"count"`
}

// Actor is who made a commit.
type Actor struct {
	Kind string `json:"kind,omitempty"`
	ID   string `json:"id,omitempty"`
	Via  string `json:"via,omitempty"`
}

// Change is a changed entry; without a value it was deleted.
type Change struct {
	Kind    string          `json:"kind"`
	Name    string          `json:"name"`
	Entity  string          `json:"entity,omitempty"`
	Value   json.RawMessage `json:"value,omitempty"`
	Deleted bool            `json:"deleted,omitempty"`
	// Before is what it was, null where there was none. Left out: it is not told, or the
	// journal does not go back that far.
	Before json.RawMessage `json:"before,omitempty"`
}

// FromCommit returns the JSON form of c.
func FromCommit(c *flags.Commit) Commit {
	out := Commit{
		Token: c.Head().Token().String(), Epoch: c.Epoch, Revision: c.Revision, ID: c.ID.String(), Op: c.Op.String(),
		Actor: Actor(c.Actor), Reason: c.Reason, Address: c.Address, Time: c.Time,
		Digest: c.Digest.String(), Count: c.Count,
	}
	for _, m := range c.Changes {
		ch := Change{Kind: m.Key.Kind.String(), Name: m.Key.Name, Entity: m.Key.Entity, Deleted: m.Bytes == nil}
		if json.Valid(m.Bytes) {
			ch.Value = m.Bytes
		}
		out.Changes = append(out.Changes, ch)
	}
	return out
}

// OrNull returns an entry's bytes, or null where there are none.
func OrNull(b []byte) json.RawMessage {
	if b == nil {
		return json.RawMessage("null")
	}
	return b
}

package restwire

import (
	"encoding/hex"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
)

// Head is a flags.Head in JSON.
type Head struct {
	Set      string        `json:"set"`
	Token    string        `json:"token"`
	Lineage  flags.Lineage `json:"lineage"`
	Epoch    uint64        `json:"epoch"`
	Revision uint64        `json:"revision"`
	Status   string        `json:"status"`
	Digest   string        `json:"digest"`
	Count    int           `json:"count"`
	Time     time.Time     `json:"time,omitzero"`
}

// FromHead returns the JSON form of h.
func FromHead(h flags.Head) Head {
	return Head{
		Set: h.Set, Token: h.Token().String(), Lineage: h.Lineage, Epoch: h.Epoch, Revision: h.Revision,
		Status: h.Status.String(), Digest: h.Digest.String(), Count: h.Count, Time: h.Time,
	}
}

// ToHead is the inverse of FromHead. The error wraps flags.ErrFormat.
func (m *Head) ToHead() (flags.Head, error) {
	h := flags.Head{
		Set: m.Set, Lineage: m.Lineage, Version: flags.Version{Epoch: m.Epoch, Revision: m.Revision},
		Count: m.Count, Time: m.Time,
	}
	digest, err := ParseDigest(m.Digest)
	if err != nil {
		return flags.Head{}, err
	}
	h.Digest = digest
	for h.Status = flags.StatusLive; h.Status.String() != m.Status; h.Status++ {
		if h.Status == flags.StatusDeleted {
			return flags.Head{}, fmt.Errorf("%w: head of status %q", flags.ErrFormat, m.Status)
		}
	}
	if m.Count < 0 || m.Count > flags.MaxEntries {
		return flags.Head{}, fmt.Errorf("%w: head with %d entries", flags.ErrFormat, m.Count)
	}
	return h, nil
}

// ParseDigest reads a digest of 32 hexadecimal digits. The error wraps flags.ErrFormat.
func ParseDigest(text string) (flags.Digest, error) {
	raw, err := hex.DecodeString(text)
	digest, ok := flags.DigestFromBytes(raw)
	if err != nil || !ok {
		return flags.Digest{}, fmt.Errorf("%w: digest %.40q; want 32 hexadecimal digits", flags.ErrFormat, text)
	}
	return digest, nil
}

package mongostore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holdfast-flags/holdfast/flags"
)

// leadOn returns what leads from have to head: nothing, commits, or a checkpoint
// and commits, with the reason why where have was something.
func (s *Store) leadOn(ctx context.Context, have, head flags.Head) (flags.Update, string, error) {
	u := flags.Update{Head: head}
	reset := refuse(have, head)
	if reset == "" && have.Version == head.Version {
		return u, "", nil
	}
	if reset == "" && !have.Version.IsZero() {
		commits, err := s.commitsBetween(ctx, have, head)
		if u.Commits = commits; err == nil {
			return u, "", nil
		}
		if !isFault(err) {
			return u, "", err
		}
		if reset = "too old"; errors.Is(err, flags.ErrDigest) {
			reset = "digest differs"
		}
	}
	u, err := s.assemble(ctx, head)
	return u, reset, err
}

// refuse says why a reader cannot go on from what it has; "" where it has nothing
// or the journal has to say.
func refuse(have, head flags.Head) string {
	switch {
	case have.Version.IsZero():
		return ""
	case have.Lineage != head.Lineage:
		return "another lineage"
	case head.Version.Before(have.Version):
		return "ahead of the journal"
	case have.Version == head.Version && (have.Digest != head.Digest || have.Count != head.Count):
		return "digest differs"
	default:
		return ""
	}
}

// isFault reports whether err is about what is stored, not about reaching it.
func isFault(err error) bool {
	return errors.Is(err, flags.ErrGap) || errors.Is(err, flags.ErrDigest) || errors.Is(err, flags.ErrFormat) || errors.Is(err, flags.ErrLineage)
}

// assemble returns the whole set at head: the newest checkpoint that comes out
// right and the commits after it. A packer may take away what we are about to
// read, once it is superseded; then there is something newer to read.
func (s *Store) assemble(ctx context.Context, head flags.Head) (flags.Update, error) {
	for attempt := 1; ; attempt++ {
		u, err := s.assembleOnce(ctx, head)
		if err == nil || !isFault(err) || errors.Is(err, errTooMuch) || attempt == 3 {
			return u, err
		}
	}
}

func (s *Store) assembleOnce(ctx context.Context, head flags.Head) (flags.Update, error) {
	known, err := s.checkpointsUpTo(ctx, head)
	if err != nil {
		return flags.Update{}, err
	}
	var first error
	for _, m := range known {
		u, err := s.from(ctx, m, head)
		if err == nil {
			return u, nil
		}
		if !isFault(err) || errors.Is(err, errTooMuch) { // from further back there would be more still
			return u, err
		}
		s.log.Warn("checkpoint passed over", "set", head.Set, "checkpoint", m.ID, "error", err)
		if first == nil {
			first = err
		}
	}
	u, err := s.fromNothing(ctx, head)
	if err != nil && isFault(err) && first != nil {
		err = first // the newest checkpoint's says most
	}
	return u, err
}

// mostCheckpoints are tried for one answer. Maintenance keeps two.
const mostCheckpoints = 8

// checkpointsUpTo returns the manifests of the checkpoints that can lead to head,
// newest first.
func (s *Store) checkpointsUpTo(ctx context.Context, head flags.Head) ([]manifest, error) {
	all, err := s.checkpoints.list(ctx, under(head.Set+"/"+string(head.Lineage)))
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	all = slices.DeleteFunc(all, func(m manifest) bool {
		h, err := parseHead(m.Head)
		return err != nil || head.Version.Before(h.Version) || h.Version == head.Version && h != head && !s.tuning.gullible
	})
	return all[:min(len(all), mostCheckpoints)], nil
}

func (s *Store) from(ctx context.Context, m manifest, head flags.Head) (flags.Update, error) {
	cp, err := s.checkpoint(ctx, m, head)
	if err != nil {
		return flags.Update{}, err
	}
	commits, err := s.commitsBetween(ctx, cp.Head, head)
	if err != nil {
		return flags.Update{}, err
	}
	return flags.Update{Head: head, Checkpoint: cp, Commits: commits}, nil
}

// checkpoint reads and verifies the checkpoint of a manifest, which must be of the same
// history as a head.
func (s *Store) checkpoint(ctx context.Context, m manifest, of flags.Head) (*flags.Checkpoint, error) {
	data, err := s.checkpoints.data(ctx, m, flags.MaxCheckpointBytes)
	if err != nil {
		return nil, err
	}
	cp := &flags.Checkpoint{}
	if err := cp.UnmarshalBinary(data); err != nil {
		return nil, unreadable(m.ID, err)
	}
	if headText(cp.Head) != m.Head || cp.Set != of.Set || cp.Lineage != of.Lineage {
		return nil, fmt.Errorf("%w: checkpoint %s under the manifest %s", flags.ErrFormat, cp.Token(), m.ID)
	}
	return cp, nil
}

// fromNothing puts a set together from its first commit on, as long as there is
// no checkpoint yet.
func (s *Store) fromNothing(ctx context.Context, head flags.Head) (flags.Update, error) {
	contents := flags.NewContents(head.Set)
	commits, err := s.commitsBetween(ctx, contents.Head(), head)
	if err != nil {
		return flags.Update{}, err
	}
	for i := range commits {
		if err := contents.Apply(&commits[i]); err != nil {
			return flags.Update{}, unreadable(commits[i].Head().Token().String(), err)
		}
	}
	return flags.Update{Head: head, Checkpoint: contents.Checkpoint()}, nil
}

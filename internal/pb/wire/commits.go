package wire

import (
	"iter"

	"github.com/holdfast-flags/holdfast/flags"
	pb "github.com/holdfast-flags/holdfast/internal/pb/holdfast/v1"
)

// Batches groups encoded commits into messages of about BatchBytes, each with
// at least one commit. They share the commits' memory.
func Batches(encoded [][]byte) iter.Seq[*pb.Commits] {
	return func(yield func(*pb.Commits) bool) {
		for len(encoded) > 0 {
			n, size := 1, len(encoded[0])
			for n < len(encoded) && size+len(encoded[n]) <= BatchBytes {
				size += len(encoded[n])
				n++
			}
			if !yield(&pb.Commits{Commits: encoded[:n]}) {
				return
			}
			encoded = encoded[n:]
		}
	}
}

// Encode returns the encoded forms of commits.
func Encode(commits []flags.Commit) ([][]byte, error) {
	out := make([][]byte, 0, len(commits))
	for i := range commits {
		b, err := commits[i].MarshalBinary()
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// Decode returns the commits in m. The error wraps flags.ErrFormat or flags.ErrTooLarge.
func Decode(m *pb.Commits) ([]flags.Commit, error) {
	out := make([]flags.Commit, len(m.GetCommits()))
	for i, b := range m.GetCommits() {
		if err := out[i].UnmarshalBinary(b); err != nil {
			return nil, err
		}
	}
	return out, nil
}

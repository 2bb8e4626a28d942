package mongostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
)

// errPieces: a blob's chunks are not all there; it may just have been removed.
var errPieces = fmt.Errorf("%w: chunks are missing", flags.ErrFormat)

// blobs are two collections: small documents that say what there is, manifests,
// and the chunks of what that is.
type blobs struct{ manifests, chunks *mongo.Collection }

// manifest is the document of a checkpoint or a segment.
type manifest struct {
	ID      string `bson:"_id"`
	Lineage string `bson:"lineage"`
	Head    string `bson:"head"`            // after the checkpoint, or after the segment's last commit
	First   string `bson:"first,omitempty"` // segment: version key of its first commit
	IDs     []byte `bson:"ids,omitempty"`   // segment: ids of its commits, 16 bytes each
	Blob    string `bson:"blob"`            // prefix of the chunks' ids
	Chunks  int    `bson:"chunks"`
	Bytes   int    `bson:"bytes"`
}

type chunk struct {
	ID   string `bson:"_id"`
	Data []byte `bson:"data"`
}

// draft is a blob that is being written. Each has chunks of its own, so that those
// of two writers, or of one that died, never mix.
type draft struct {
	of    blobs
	blob  string // prefix of its chunks' ids
	size  int    // of a chunk
	count int    // of chunks
	bytes int
	rest  []byte // not stored yet, less than a chunk
	step  func(string) error
}

func (b blobs) draft(id string, size int, step func(string) error) *draft {
	return &draft{of: b, blob: id + "/" + rand.Text(), size: size, step: step}
}

// write adds data to the blob.
func (d *draft) write(ctx context.Context, data []byte) error {
	d.bytes += len(data)
	for len(d.rest)+len(data) >= d.size {
		n := d.size - len(d.rest)
		piece := data[:n]
		if len(d.rest) > 0 {
			piece = append(d.rest, piece...)
		}
		if err := d.store(ctx, piece); err != nil {
			return err
		}
		d.rest, data = d.rest[:0], data[n:]
	}
	d.rest = append(d.rest, data...)
	return nil
}

func (d *draft) store(ctx context.Context, piece []byte) error {
	if _, err := d.of.chunks.InsertOne(ctx, chunk{chunkKey(d.blob, d.count), piece}); err != nil {
		return err
	}
	d.count++
	return d.step("chunk")
}

// finish stores what is left, and then m, which describes it all. Where another of
// its id is there already, that one stays.
func (d *draft) finish(ctx context.Context, m manifest) error {
	if len(d.rest) > 0 {
		if err := d.store(ctx, d.rest); err != nil {
			return err
		}
	}
	m.Blob, m.Chunks, m.Bytes = d.blob, d.count, d.bytes
	_, err := d.of.manifests.InsertOne(ctx, m)
	if mongo.IsDuplicateKeyError(err) {
		return d.abandon(ctx)
	}
	if err == nil {
		err = d.step("manifest")
	}
	return err
}

// abandon removes what was written.
func (d *draft) abandon(ctx context.Context) error { return d.of.removeChunks(ctx, under(d.blob)) }

func chunkKey(blob string, n int) string { return fmt.Sprintf("%s/%06d", blob, n) }

// list returns the manifests that match, sorted by id.
func (b blobs) list(ctx context.Context, filter bson.D) ([]manifest, error) {
	return collect(each[manifest](ctx, b.manifests, maxAnswerBytes, filter, options.Find().SetSort(byID1)))
}

var byID1 = bson.D{{Key: "_id", Value: 1}}

// data returns what a manifest describes, of so many bytes at most. The error wraps
// flags.ErrFormat where that is not what is stored.
func (b blobs) data(ctx context.Context, m manifest, most int) ([]byte, error) {
	var data []byte
	for piece, err := range b.pieces(ctx, m, most) {
		if err != nil {
			return nil, err
		}
		if data == nil {
			data = make([]byte, 0, min(m.Bytes, m.Chunks*len(piece)))
		}
		data = append(data, piece...)
	}
	return data, nil
}

// pieces yields the chunks of what a manifest describes, each checked before the next
// is asked for: a manifest can make nobody read, or hold, more than it says, and it
// may not say more than most.
func (b blobs) pieces(ctx context.Context, m manifest, most int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if m.Bytes <= 0 || m.Bytes > most || m.Chunks <= 0 || m.Chunks > m.Bytes {
			yield(nil, fmt.Errorf("%w: manifest %s of %d bytes in %d chunks, at most %d bytes", flags.ErrFormat, m.ID, m.Bytes, m.Chunks, most))
			return
		}
		left, size := m.Bytes, 0
		for n := range m.Chunks {
			c, err := one[chunk](ctx, b.chunks, byID(chunkKey(m.Blob, n)))
			if errors.Is(err, mongo.ErrNoDocuments) {
				err = fmt.Errorf("%s: %w", m.ID, errPieces)
			}
			if n == 0 {
				size = len(c.Data)
			}
			// All chunks but the last are as long as the first.
			if want := min(size, left); err == nil && (want == 0 || len(c.Data) != want || (left-want > 0) != (n+1 < m.Chunks)) {
				err = fmt.Errorf("%w: chunk %d of %d of %s has %d bytes, with %d of %d to come", flags.ErrFormat, n+1, m.Chunks, m.ID, len(c.Data), left, m.Bytes)
			}
			if !yield(c.Data, err) || err != nil {
				return
			}
			left -= len(c.Data)
		}
	}
}

// remove forgets the manifests that match and then the chunks under the same
// keys: what can be found has its chunks.
func (b blobs) remove(ctx context.Context, filter bson.D, step func(string) error) error {
	if _, err := b.manifests.DeleteMany(ctx, filter); err != nil {
		return err
	}
	if err := step("forget"); err != nil {
		return err
	}
	return b.removeChunks(ctx, filter)
}

func (b blobs) removeChunks(ctx context.Context, filter bson.D) error {
	_, err := b.chunks.DeleteMany(ctx, filter)
	return err
}

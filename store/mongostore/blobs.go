package mongostore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

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

// put stores data and then m, which describes it. Each attempt has chunks of its
// own, so that those of two writers, or of one that died, never mix. Where another of
// its id is there already, that one stays.
func (b blobs) put(ctx context.Context, m manifest, data []byte, size int, step func(string) error) error {
	m.Blob, m.Chunks, m.Bytes = m.ID+"/"+rand.Text(), 0, len(data)
	for piece := range slices.Chunk(data, size) {
		if _, err := b.chunks.InsertOne(ctx, chunk{chunkKey(m.Blob, m.Chunks), piece}); err != nil {
			return err
		}
		m.Chunks++
		if err := step("chunk"); err != nil {
			return err
		}
	}
	_, err := b.manifests.InsertOne(ctx, m)
	if mongo.IsDuplicateKeyError(err) {
		return b.removeChunks(ctx, under(m.Blob))
	}
	if err == nil {
		err = step("manifest")
	}
	return err
}

func chunkKey(blob string, n int) string { return fmt.Sprintf("%s/%06d", blob, n) }

// list returns the manifests that match, sorted by id.
func (b blobs) list(ctx context.Context, filter bson.D) ([]manifest, error) {
	cursor, err := b.manifests.Find(ctx, filter, options.Find().SetSort(byID1))
	if err != nil {
		return nil, err
	}
	var all []manifest
	err = cursor.All(ctx, &all)
	return all, err
}

var byID1 = bson.D{{Key: "_id", Value: 1}}

// data returns what a manifest describes.
func (b blobs) data(ctx context.Context, m manifest) ([]byte, error) {
	if m.Bytes < 0 || m.Bytes > maxBlobBytes || m.Chunks < 0 || m.Chunks > m.Bytes {
		return nil, fmt.Errorf("%w: manifest %s of %d bytes in %d chunks", flags.ErrFormat, m.ID, m.Bytes, m.Chunks)
	}
	var data []byte
	for n := range m.Chunks {
		var c chunk
		err := b.chunks.FindOne(ctx, byID(chunkKey(m.Blob, n))).Decode(&c)
		if errors.Is(err, mongo.ErrNoDocuments) {
			return nil, fmt.Errorf("%s: %w", m.ID, errPieces)
		}
		if err != nil {
			return nil, err
		}
		if data == nil {
			data = make([]byte, 0, min(m.Bytes, m.Chunks*len(c.Data)))
		}
		data = append(data, c.Data...)
	}
	if len(data) != m.Bytes {
		return nil, fmt.Errorf("%s: %w", m.ID, errPieces)
	}
	return data, nil
}

// maxBlobBytes is what the largest segment takes: one commit more could have
// been over the limit only in a segment of its own.
const maxBlobBytes = 256 * (flags.MaxCommitBytes + 16)

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

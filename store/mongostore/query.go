package mongostore

import (
	"context"
	"fmt"
	"iter"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/flags"
)

// maxAnswerBytes is the most that what one answer is put together from may come to in
// memory, stored or decoded: many times what maintenance leaves in a journal.
const maxAnswerBytes = 256 << 20

// one returns the document that matches. The error is mongo.ErrNoDocuments where
// there is none, and wraps flags.ErrFormat where it is not what it should be.
func one[T any](ctx context.Context, c *mongo.Collection, filter bson.D, opts ...options.Lister[options.FindOneOptions]) (doc T, err error) {
	raw, err := c.FindOne(ctx, filter, opts...).Raw()
	if err != nil {
		return doc, err
	}
	return decode[T](c, raw)
}

// each yields the documents that match, one after the other, and no more of them than
// come to so many bytes; 0: any number. The error wraps flags.ErrFormat for a document
// that is not what it should be, and for one too many.
func each[T any](ctx context.Context, c *mongo.Collection, most int, filter bson.D, opts ...options.Lister[options.FindOptions]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		cursor, err := c.Find(ctx, filter, opts...)
		if err != nil {
			yield(none, err)
			return
		}
		defer func() { _ = cursor.Close(ctx) }() // all has been read, or enough
		for total := 0; cursor.Next(ctx); {
			total += len(cursor.Current)
			if most > 0 && total > most {
				yield(none, tooMuch(c.Name(), most))
				return
			}
			doc, err := decode[T](c, cursor.Current)
			if !yield(doc, err) || err != nil {
				return
			}
		}
		if err := cursor.Err(); err != nil {
			yield(none, err)
		}
	}
}

// errTooMuch: there is more than anybody can have meant.
var errTooMuch = fmt.Errorf("%w: too much for one answer", flags.ErrFormat)

func tooMuch(where string, most int) error {
	return fmt.Errorf("%w: more than %d bytes of %s", errTooMuch, most, where)
}

func decode[T any](c *mongo.Collection, raw bson.Raw) (doc T, err error) {
	if err := bson.Unmarshal(raw, &doc); err != nil {
		return doc, fmt.Errorf("%w: document in %s: %w", flags.ErrFormat, c.Name(), err)
	}
	return doc, nil
}

// collect returns all that seq yields, up to its error.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, nil
}

package mongocache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

// Cache is a cachestrategy.Strategy in a collection of MongoDB.
type Cache struct {
	client  *mongo.Client
	sets    *mongo.Collection
	timeout time.Duration
}

var _ cachestrategy.Strategy = (*Cache)(nil)

// document is what one write left of a set; the newest counts, older ones are removed.
// The mark outlives the data, so that an old version cannot take the place of one that
// was dropped.
type document struct {
	Key  string `bson:"_id"`
	Turn int64  `bson:"turn"`           // counts the writes; part of the key
	Mark []byte `bson:"mark"`           // flags.Head, encoded
	Data []byte `bson:"data,omitempty"` // cachestrategy.Holding, encoded

	set string
}

// key sorts as turns do. No set's name has a slash.
func key(set string, turn int64) string { return fmt.Sprintf("%s/%020d", set, turn) }

// maxData is what a document can hold, short of the 16 MiB that MongoDB allows.
const maxData = 15 << 20

// Factory opens the cache that a URL such as mongo:mongodb://host/database names. It
// does not wait for the server.
func Factory(url string) (cachestrategy.Strategy, error) {
	_, uri, _ := strings.Cut(url, ":")
	return Open(uri, 500*time.Millisecond)
}

// Open returns the cache in the database of a MongoDB URI, "holdfast" where that names
// none. No call takes longer than the timeout.
func Open(uri string, timeout time.Duration) (*Cache, error) {
	o := options.Client().ApplyURI(uri).SetServerSelectionTimeout(timeout).SetConnectTimeout(timeout).
		SetMaxPoolSize(4).SetRetryWrites(false)
	if err := o.Validate(); err != nil {
		return nil, errors.New("mongocache: want mongodb://HOST/DATABASE") // the driver's error may repeat the password
	}
	client, err := mongo.Connect(o)
	if err != nil {
		return nil, errors.New("mongocache: want mongodb://HOST/DATABASE")
	}
	return &Cache{client: client, sets: client.Database(databaseOf(uri)).Collection("flagcache"), timeout: timeout}, nil
}

func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	_, path, _ := strings.Cut(rest, "/")
	if name, _, _ := strings.Cut(path, "?"); name != "" {
		return name
	}
	return "holdfast"
}

// Get implements cachestrategy.Strategy.
func (c *Cache) Get(ctx context.Context, q cachestrategy.Query) (cachestrategy.Entry, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	doc, err := c.read(ctx, q.Set)
	if err == nil && doc.Data == nil {
		err = cachestrategy.ErrMiss
	}
	var h cachestrategy.Holding
	if err == nil {
		err = h.UnmarshalBinary(doc.Data)
	}
	if err == nil && h.Head().Set != q.Set {
		err = fmt.Errorf("%w: it is of set %q", cachestrategy.ErrDamaged, h.Head().Set)
	}
	if err != nil {
		return cachestrategy.Entry{}, classify(ctx, "get", q.Set, err)
	}
	return h.Entry(q), nil
}

// attempts bounds how often a write begins again because another came first. Each
// time somebody else's has succeeded, and it may well be the newer one.
const attempts = 100

// Put implements cachestrategy.Strategy.
func (c *Cache) Put(ctx context.Context, o cachestrategy.Offer) (outcome cachestrategy.Outcome, err error) {
	if o, err = o.Prepare(); err != nil {
		return outcome, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	for range attempts {
		var done bool
		if outcome, done, err = c.try(ctx, &o); err != nil {
			return outcome, classify(ctx, "put", o.Head.Set, err)
		}
		if done {
			return outcome, nil
		}
	}
	return outcome, classify(ctx, "put", o.Head.Set, errors.New("others are writing all the time"))
}

// try decides about the offer by what there is now. It is done unless that has
// changed meanwhile.
func (c *Cache) try(ctx context.Context, o *cachestrategy.Offer) (outcome cachestrategy.Outcome, done bool, err error) {
	doc, err := c.read(ctx, o.Head.Set)
	if err != nil {
		return outcome, false, err
	}
	var mark flags.Head
	_ = mark.UnmarshalBinary(doc.Mark) // none, or none that says anything
	old := &cachestrategy.Holding{}
	if doc.Data == nil || old.UnmarshalBinary(doc.Data) != nil {
		old = nil // damaged: what is offered repairs it
	}
	next, outcome := o.Onto(old, mark)
	if outcome == cachestrategy.Gap {
		whole, ok, err := o.WithWhole()
		if !ok {
			return outcome, true, err
		}
		*o = whole // if others come first, it need not be assembled again
		next, outcome = o.Onto(old, mark)
	}
	if outcome != cachestrategy.Stored && outcome != cachestrategy.Renewed {
		return outcome, true, nil
	}
	done, err = c.replace(ctx, doc, o.Head, next)
	return outcome, done, err
}

func (c *Cache) read(ctx context.Context, set string) (document, error) {
	doc := document{set: set}
	if err := flags.CheckSetName(set); err != nil {
		return doc, &flags.SourceError{Class: flags.ClassPermanent, Op: "mongocache: read", Err: err}
	}
	newest := options.FindOne().SetSort(bson.D{{Key: "_id", Value: -1}})
	err := c.sets.FindOne(ctx, turns(set, math.MaxInt64), newest).Decode(&doc)
	if errors.Is(err, mongo.ErrNoDocuments) {
		err = nil
	}
	return doc, err
}

// turns selects the documents of a set up to a turn.
func turns(set string, last int64) bson.D {
	return bson.D{{Key: "_id", Value: bson.D{{Key: "$gte", Value: key(set, 0)}, {Key: "$lte", Value: key(set, last)}}}}
}

// replace writes the set unless it has been written since it was read. The unique _id
// decides between two writers, which is more than every server of the protocol does for
// a filter on the value that a replacement expects.
func (c *Cache) replace(ctx context.Context, read document, mark flags.Head, h *cachestrategy.Holding) (done bool, err error) {
	next := document{Key: key(read.set, read.Turn+1), Turn: read.Turn + 1, Mark: read.Mark}
	if h != nil {
		if next.Mark, err = mark.MarshalBinary(); err != nil {
			return false, err
		}
		if next.Data, err = h.MarshalBinary(); err != nil {
			return false, err
		}
		if len(next.Data) > maxData {
			return false, &flags.SourceError{Class: flags.ClassPermanent, Op: "mongocache: put", Err: fmt.Errorf("%w: %d bytes", flags.ErrTooLarge, len(next.Data))}
		}
	}
	_, err = c.sets.InsertOne(ctx, next)
	if mongo.IsDuplicateKeyError(err) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	// The turn was free also if others took it and removed it long ago.
	newest, err := c.read(ctx, read.set)
	if err != nil || newest.Turn != next.Turn {
		return false, err
	}
	_, _ = c.sets.DeleteMany(ctx, turns(read.set, read.Turn)) // else the next writer does it
	return true, nil
}

// Invalidate implements cachestrategy.Strategy.
func (c *Cache) Invalidate(ctx context.Context, set string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.timeout, errTimeout)
	defer cancel()
	for range attempts {
		doc, err := c.read(ctx, set)
		if err == nil && doc.Data == nil {
			return nil
		}
		done := false
		if err == nil {
			done, err = c.replace(ctx, doc, flags.Head{}, nil)
		}
		if err != nil {
			return classify(ctx, "invalidate", set, err)
		}
		if done {
			return nil
		}
	}
	return classify(ctx, "invalidate", set, errors.New("others are writing all the time"))
}

// Close implements cachestrategy.Strategy.
func (c *Cache) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := c.client.Disconnect(ctx); err != nil && !errors.Is(err, mongo.ErrClientDisconnected) {
		return classify(ctx, "close", c.sets.Name(), err)
	}
	return nil
}

var errTimeout = errors.New("mongocache: no answer in time")

// classify says what an error means for whoever has other layers to ask. Whatever
// is not known to be otherwise is an outage.
func classify(ctx context.Context, op, set string, err error) error {
	var done *flags.SourceError
	if errors.As(err, &done) {
		return err
	}
	class := flags.ClassTransient
	var said mongo.ServerError
	switch {
	case errors.Is(err, mongo.ErrClientDisconnected):
		class, err = flags.ClassCanceled, fmt.Errorf("%w: %w", cachestrategy.ErrClosed, err)
	case ctx.Err() != nil && !errors.Is(context.Cause(ctx), errTimeout):
		class = flags.ClassCanceled // the caller left
	case errors.Is(err, flags.ErrFormat):
		class = flags.ClassPermanent
	case errors.As(err, &said) && (said.HasErrorCode(13) || said.HasErrorCode(18)):
		class = flags.ClassDenied
		if said.HasErrorCode(13) && op == "put" {
			err = fmt.Errorf("%w: %w", cachestrategy.ErrReadOnly, err)
		}
	default:
	}
	return &flags.SourceError{Class: class, Op: "mongocache: " + op + " " + set, Err: err}
}

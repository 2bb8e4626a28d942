package boltstore

import (
	"bytes"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// behind is how many commits before the newest checkpoint are read at opening, so
// that readers that were connected before can resume.
const behind = 256

// loaded is a set as it was read from the file.
type loaded struct {
	contents *flags.Contents
	base     *flags.Checkpoint
	earlier  []store.Record // up to base
	tail     []store.Record // from base to contents
}

// load puts a set together from its newest readable checkpoint and the journal
// after it, checking every digest.
func (d disk) load() (loaded, error) {
	var l loaded
	base, err := d.newestCheckpoint()
	if err != nil {
		return l, err
	}
	c := d.journal.Cursor()
	key, value := c.First()
	if base == nil {
		l.contents = flags.NewContents(d.set)
		if key == nil {
			return l, damaged(d.set, "journal", nil, fmt.Errorf("it is empty"))
		}
		if _, err := d.step(&l, key, value); err != nil {
			return l, err
		}
		l.base = l.contents.Checkpoint()
		key, value = c.Next()
	} else {
		l.base, l.contents = base, flags.ContentsOf(base)
		if l.earlier, err = d.before(base.Version); err != nil {
			return l, err
		}
		key, value = c.Seek(versionKey(flags.Version{Epoch: base.Epoch, Revision: base.Revision + 1}))
	}
	for ; key != nil; key, value = c.Next() {
		r, err := d.step(&l, key, value)
		if err != nil {
			return l, err
		}
		l.tail = append(l.tail, r)
	}
	return l, nil
}

func (d disk) step(l *loaded, key, value []byte) (store.Record, error) {
	r, err := d.record(key, value)
	if err != nil {
		return r, err
	}
	if err := l.contents.Apply(&r.Commit); err != nil {
		return r, damaged(d.set, "commit", key, err)
	}
	return r, nil
}

// newestCheckpoint returns nil where there is none. A damaged one is passed over
// while an older one and the commits after it can take its place.
func (d disk) newestCheckpoint() (*flags.Checkpoint, error) {
	var firstErr error
	c := d.checkpoints.Cursor()
	for key, value := c.Last(); key != nil; key, value = c.Prev() {
		cp := &flags.Checkpoint{}
		err := cp.UnmarshalBinary(bytes.Clone(value))
		if v, _ := versionOf(key); err == nil && (cp.Set != d.set || cp.Version != v) {
			err = fmt.Errorf("it says it is %s", cp.Token())
		}
		if err == nil {
			return cp, nil
		}
		if firstErr == nil {
			firstErr = damaged(d.set, "checkpoint", key, err)
		}
	}
	if first, _ := d.journal.Cursor().First(); firstErr != nil && !bytes.Equal(first, versionKey(flags.Version{Revision: 1})) {
		return nil, firstErr
	}
	return nil, nil //nolint:nilnil // documented: no checkpoint, and none needed
}

// before returns some records up to and including v, oldest first.
func (d disk) before(v flags.Version) ([]store.Record, error) {
	var out []store.Record
	c := d.journal.Cursor()
	key, value := c.Seek(versionKey(v))
	if !bytes.Equal(key, versionKey(v)) {
		return nil, nil // the replica was seeded there
	}
	for ; key != nil && len(out) < behind; key, value = c.Prev() {
		r, err := d.record(key, value)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.Reverse(out)
	return out, nil
}

func (l *loaded) journal() *journal {
	j := &journal{contents: l.contents, feed: store.NewFeed(l.base, l.earlier...)}
	j.feed.Publish(l.contents, l.tail...)
	return j
}

// loadAll reads every set of the file.
func loadAll(tx *bolt.Tx) (map[string]*journal, error) {
	sets := map[string]*journal{}
	err := tx.Bucket(setsBucket).ForEachBucket(func(name []byte) error {
		d, ok := diskOf(tx, string(name))
		if !ok {
			return damaged(string(name), "buckets", nil, fmt.Errorf("some are missing"))
		}
		l, err := d.load()
		if err != nil {
			return err
		}
		sets[d.set] = l.journal()
		return nil
	})
	return sets, err
}

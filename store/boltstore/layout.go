package boltstore

import (
	"bytes"
	"encoding/binary"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

var (
	metaBucket       = []byte("meta")
	setsBucket       = []byte("sets")
	journalBucket    = []byte("journal")
	idsBucket        = []byte("ids")
	checkpointBucket = []byte("checkpoints")

	formatKey = []byte("format")
	format    = []byte("holdfast-journal-1")
)

// checkLayout refuses a file that is not ours, or not of this version.
func checkLayout(tx *bolt.Tx) error {
	meta := tx.Bucket(metaBucket)
	if meta == nil || tx.Bucket(setsBucket) == nil {
		return fmt.Errorf("file is a bbolt database of something else; name another file")
	}
	if found := meta.Get(formatKey); !bytes.Equal(found, format) {
		return fmt.Errorf("file is of format %q, this version reads %q; use the version that wrote it", found, format)
	}
	return nil
}

// prepareLayout makes an empty file ours.
func prepareLayout(tx *bolt.Tx) error {
	if k, _ := tx.Cursor().First(); k != nil {
		return errNothing // it is not empty: for checkLayout to judge
	}
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	if err := meta.Put(formatKey, format); err != nil {
		return err
	}
	_, err = tx.CreateBucket(setsBucket)
	return err
}

// disk is one set in one transaction.
type disk struct {
	set                       string
	journal, ids, checkpoints *bolt.Bucket
}

func diskOf(tx *bolt.Tx, set string) (disk, bool) {
	b := tx.Bucket(setsBucket).Bucket([]byte(set))
	if b == nil {
		return disk{}, false
	}
	d := disk{set, b.Bucket(journalBucket), b.Bucket(idsBucket), b.Bucket(checkpointBucket)}
	return d, d.journal != nil && d.ids != nil && d.checkpoints != nil
}

func createDisk(tx *bolt.Tx, set string) (disk, error) {
	if d, ok := diskOf(tx, set); ok {
		return d, nil
	}
	b, err := tx.Bucket(setsBucket).CreateBucketIfNotExists([]byte(set))
	if err != nil {
		return disk{}, err
	}
	for _, name := range [][]byte{journalBucket, idsBucket, checkpointBucket} {
		if _, err := b.CreateBucketIfNotExists(name); err != nil {
			return disk{}, err
		}
	}
	d, _ := diskOf(tx, set)
	return d, nil
}

func versionKey(v flags.Version) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(make([]byte, 0, 16), v.Epoch), v.Revision)
}

func versionOf(key []byte) (flags.Version, bool) {
	if len(key) != 16 {
		return flags.Version{}, false
	}
	return flags.Version{Epoch: binary.BigEndian.Uint64(key), Revision: binary.BigEndian.Uint64(key[8:])}, true
}

func (d disk) append(r store.Record) error {
	key := versionKey(r.Commit.Version)
	d.journal.FillPercent = 0.9 // nearly all writes append
	if err := d.journal.Put(key, r.Bytes); err != nil {
		return err
	}
	return d.ids.Put(r.Commit.ID[:], key)
}

// record decodes what the journal has under key. Values of a transaction are
// gone with it, so the record holds a copy.
func (d disk) record(key, value []byte) (store.Record, error) {
	r := store.Record{Bytes: bytes.Clone(value)}
	if err := r.Commit.UnmarshalBinary(r.Bytes); err != nil {
		return r, damaged(d.set, "commit", key, err)
	}
	if v, _ := versionOf(key); v != r.Commit.Version || r.Commit.Set != d.set {
		return r, damaged(d.set, "commit", key, fmt.Errorf("it says it is %s", r.Commit.Head().Token()))
	}
	return r, nil
}

func (d disk) at(v flags.Version) (flags.Commit, bool, error) {
	key := versionKey(v)
	value := d.journal.Get(key)
	if value == nil {
		return flags.Commit{}, false, nil
	}
	r, err := d.record(key, value)
	return r.Commit, err == nil, err
}

func (d disk) byID(id flags.CommitID) (flags.Commit, bool, error) {
	key := d.ids.Get(id[:])
	if key == nil {
		return flags.Commit{}, false, nil
	}
	v, _ := versionOf(key)
	c, found, err := d.at(v)
	if err == nil && (!found || c.ID != id) {
		err = damaged(d.set, "index of commit", id[:], fmt.Errorf("it points to %s", v))
	}
	return c, found, err
}

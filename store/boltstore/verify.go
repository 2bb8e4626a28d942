package boltstore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// bbolt trusts its pages: a page number or length gone bad makes it read outside
// the mapping, which ends the process, and a page wrongly in the free list is
// overwritten by a later commit. So the structure of the whole file is checked
// here, with bounds, before bbolt gets to see it.

const (
	pageHeader = 16
	element    = 16 // of a branch or a leaf

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
	bucketFlag   = 0x01

	metaMagic   = 0xED0CDAED
	metaVersion = 2
	noFreelist  = math.MaxUint64
)

var order = binary.NativeEndian // bbolt writes its structures as they are in memory

// verifyFile checks a file under the shared lock, so that no other process is
// writing. fresh: there is nothing to check yet.
func verifyFile(path string, timeout time.Duration) (fresh bool, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0 {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() {
		return false, fmt.Errorf("%s is no regular file; name another", path)
	}
	lock, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: timeout})
	if least := int64(2 * os.Getpagesize()); err != nil && info.Size() < least && !errors.Is(err, berrors.ErrTimeout) {
		return false, fmt.Errorf("%w: it has %d bytes, a database begins with %d (%w)", ErrCorrupt, info.Size(), least, err)
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = lock.Close() }()
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	if info, err = f.Stat(); err != nil {
		return false, err
	}
	if err := verify(f, info.Size()); err != nil {
		return false, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return false, nil
}

// metaPage is what matters of a bbolt meta page.
type metaPage struct {
	pageSize             int
	root, freelist, high uint64
	txid                 uint64
}

func readMeta(r io.ReaderAt, offset int64) (m metaPage, ok bool) {
	var page [pageHeader + 64]byte
	if _, err := r.ReadAt(page[:], offset); err != nil {
		return m, false
	}
	b := page[pageHeader:]
	sum := fnv.New64a()
	_, _ = sum.Write(b[:56]) // never fails
	if order.Uint32(b) != metaMagic || order.Uint32(b[4:]) != metaVersion || order.Uint64(b[56:]) != sum.Sum64() {
		return m, false
	}
	m = metaPage{
		pageSize: int(order.Uint32(b[8:])), root: order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]), high: order.Uint64(b[40:]), txid: order.Uint64(b[48:]),
	}
	return m, m.pageSize >= 512 && m.pageSize <= 1<<24
}

// newestMeta returns the meta page that bbolt will use.
func newestMeta(r io.ReaderAt) (metaPage, error) {
	first, ok := readMeta(r, 0)
	if ok {
		if second, ok := readMeta(r, int64(first.pageSize)); ok && second.txid > first.txid {
			return second, nil
		}
		return first, nil
	}
	for size := int64(1024); size <= 1<<24; size *= 2 {
		if second, ok := readMeta(r, size); ok && int64(second.pageSize) == size {
			return second, nil
		}
	}
	return metaPage{}, errors.New("neither of its meta pages is whole")
}

// verifier walks the pages of a file. seen has those that are in use.
type verifier struct {
	r    io.ReaderAt
	meta metaPage
	seen map[uint64]bool
}

func verify(r io.ReaderAt, size int64) error {
	meta, err := newestMeta(r)
	if err != nil {
		return err
	}
	if meta.high > uint64(math.MaxInt64/int64(meta.pageSize)) || int64(meta.high)*int64(meta.pageSize) > size {
		return fmt.Errorf("it is cut off: %d bytes, its newest transaction needs %d pages of %d", size, meta.high, meta.pageSize)
	}
	v := &verifier{r: r, meta: meta, seen: map[uint64]bool{}}
	if err := v.tree(meta.root, nil, nil); err != nil {
		return err
	}
	if meta.freelist == noFreelist {
		return nil
	}
	return v.freelist(meta.freelist)
}

// page reads a page with its overflow, each page once.
func (v *verifier) page(id uint64) ([]byte, error) {
	if id < 2 || id >= v.meta.high {
		return nil, fmt.Errorf("page %d is out of bounds", id)
	}
	size := int64(v.meta.pageSize)
	var header [pageHeader]byte
	if _, err := v.r.ReadAt(header[:], int64(id)*size); err != nil {
		return nil, err
	}
	overflow := uint64(order.Uint32(header[12:]))
	if order.Uint64(header[:]) != id || id+overflow >= v.meta.high {
		return nil, fmt.Errorf("page %d has a bad header", id)
	}
	for i := id; i <= id+overflow; i++ {
		if v.seen[i] {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		v.seen[i] = true
	}
	page := make([]byte, int64(overflow+1)*size)
	_, err := v.r.ReadAt(page, int64(id)*size)
	return page, err
}

// tree checks a page and what it refers to. Keys must be in [low, high); nil is
// no bound.
func (v *verifier) tree(id uint64, low, high []byte) error {
	page, err := v.page(id)
	if err != nil {
		return err
	}
	return v.elements(id, page, low, high, false)
}

func (v *verifier) elements(id uint64, page []byte, low, high []byte, inline bool) error {
	kind, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	if kind != branchPage && kind != leafPage || pageHeader+count*element > len(page) || kind == branchPage && count == 0 {
		return fmt.Errorf("page %d is neither branch nor leaf", id)
	}
	keys := make([][]byte, count)
	for i := range count {
		at := pageHeader + i*element
		e := page[at : at+element]
		pos, size := uint64(order.Uint32(e)), uint64(order.Uint32(e[4:]))
		if kind == leafPage {
			pos, size = uint64(order.Uint32(e[4:])), uint64(order.Uint32(e[8:]))
		}
		start := uint64(at) + pos
		if start+size > uint64(len(page)) {
			return fmt.Errorf("page %d: element %d is out of bounds", id, i)
		}
		keys[i] = page[start : start+size]
		if i > 0 && bytes.Compare(keys[i-1], keys[i]) >= 0 || i == 0 && bytes.Compare(keys[0], low) < 0 || high != nil && bytes.Compare(keys[i], high) >= 0 {
			return fmt.Errorf("page %d: keys out of order", id)
		}
		if kind == leafPage {
			if err := v.leaf(id, page, e, start+size, inline); err != nil {
				return err
			}
		}
	}
	if kind == leafPage {
		return nil
	}
	return v.children(page, keys, high)
}

func (v *verifier) children(page []byte, keys [][]byte, high []byte) error {
	for i, key := range keys {
		next := high
		if i+1 < len(keys) {
			next = keys[i+1]
		}
		if err := v.tree(order.Uint64(page[pageHeader+i*element+8:]), key, next); err != nil {
			return err
		}
	}
	return nil
}

// leaf checks a value, which may be a bucket: a root page, or none and the one
// page of the bucket inline.
func (v *verifier) leaf(id uint64, page, e []byte, start uint64, inline bool) error {
	end := start + uint64(order.Uint32(e[12:]))
	if end > uint64(len(page)) {
		return fmt.Errorf("page %d: a value is out of bounds", id)
	}
	if order.Uint32(e)&bucketFlag == 0 {
		return nil
	}
	if inline {
		// bbolt writes none. Followed, they could share bytes, and each level of
		// nesting would double the work.
		return fmt.Errorf("page %d: a bucket within an inline bucket", id)
	}
	value := page[start:end]
	if len(value) < pageHeader {
		return fmt.Errorf("page %d: a bucket is cut off", id)
	}
	if root := order.Uint64(value); root != 0 {
		return v.tree(root, nil, nil)
	}
	inner := value[pageHeader:]
	if len(inner) < pageHeader || order.Uint16(inner[8:]) != leafPage {
		return fmt.Errorf("page %d: an inline bucket is cut off", id)
	}
	return v.elements(id, inner, nil, nil, true)
}

// freelist checks that nothing in use is listed as free.
func (v *verifier) freelist(id uint64) error {
	page, err := v.page(id)
	if err != nil {
		return err
	}
	count, ids := uint64(order.Uint16(page[10:])), page[pageHeader:]
	if count == 0xFFFF { // does not fit: the first id is the count
		count, ids = order.Uint64(ids), ids[8:]
	}
	if order.Uint16(page[8:]) != freelistPage || count > uint64(len(ids)/8) {
		return fmt.Errorf("page %d is no free list", id)
	}
	for i := range count {
		if free := order.Uint64(ids[i*8:]); free < 2 || free >= v.meta.high || v.seen[free] {
			return fmt.Errorf("page %d is listed as free, wrongly", free)
		}
	}
	return nil
}

package rediscache

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/flags"
)

//go:embed put.lua
var putSource string

var putScript = redis.NewScript(putSource)

// Bounds of a tail. Beyond them the writer puts a new checkpoint.
const (
	maxTail      = 256
	maxTailBytes = 256 << 10
)

// bulkBytes is the size from which a put gets BulkTimeout.
const bulkBytes = 64 << 10

// Put implements cachestrategy.Strategy.
func (c *Cache) Put(ctx context.Context, o cachestrategy.Offer) (cachestrategy.Outcome, error) {
	o, err := o.Prepare()
	if err != nil {
		return cachestrategy.Unchanged, err
	}
	if c.readOnly {
		return cachestrategy.Unchanged, &flags.SourceError{Class: flags.ClassDenied, Op: "rediscache: put " + o.Head.Set, Err: cachestrategy.ErrReadOnly}
	}
	// The version and the commits go first. They are small, and mostly they are all
	// that is needed: another process has put the same version already.
	p := c.newPut(&o)
	if err := p.addCommits(o.Commits); err != nil {
		return cachestrategy.Unchanged, permanent("put", o.Head.Set, err)
	}
	outcome, err := c.run(ctx, p)
	if err != nil || outcome != cachestrategy.Gap {
		return outcome, err
	}
	whole, ok, err := o.WithWhole()
	if !ok {
		return cachestrategy.Gap, err
	}
	p = c.newPut(&whole)
	if err := p.setCheckpoint(whole.Checkpoint); err != nil {
		return cachestrategy.Unchanged, permanent("put", o.Head.Set, err)
	}
	return c.run(ctx, p)
}

// put is one run of the script.
type put struct {
	head       flags.Head
	asOf, end  int64
	margin     int64
	keep       time.Duration // how long Redis keeps the entry
	switches   string
	checkpoint []byte        // or
	before     flags.Version // what the commits follow, and
	commits    []any         // three arguments for each
	size       int
}

func (c *Cache) newPut(o *cachestrategy.Offer) *put {
	// The wall clock is all that processes share; age is taken from ours by the
	// monotonic clock first, so that a step of the wall clock cannot renew an entry.
	asOf := time.Now().Add(-time.Since(o.AsOf)).UnixMicro()
	p := &put{
		head: o.Head, asOf: asOf, end: asOf + o.TTL.Microseconds(), margin: o.Margin.Microseconds(),
		keep: max(c.hard, time.Until(o.AsOf.Add(o.TTL))),
	}
	if o.Authoritative {
		p.switches = "a"
	}
	if o.Origin {
		p.switches += "o"
	}
	if _, damaged := c.damaged.Load(o.Head.Set); damaged {
		p.switches += "f"
	}
	return p
}

// addCommits adds those commits that a tail can hold: of the head's epoch. One
// that begins an epoch stands for a checkpoint, and so do too many.
func (p *put) addCommits(commits []flags.Commit) error {
	if len(commits) > maxTail {
		return nil
	}
	for i := range commits {
		commit := &commits[i]
		if commit.Op == flags.OpCreate || commit.Epoch != p.head.Epoch {
			p.commits, p.size = nil, 0
			return nil
		}
		data, err := commit.MarshalBinary()
		if err != nil {
			return err
		}
		if p.size += len(data); p.size > maxTailBytes {
			p.commits, p.size = nil, 0
			return nil
		}
		p.commits = append(p.commits, versionText(commit.Version), commit.Digest.Bytes(), data)
	}
	if len(commits) > 0 {
		p.before = flags.Version{Epoch: commits[0].Epoch, Revision: commits[0].Revision - 1}
	}
	return nil
}

func (p *put) setCheckpoint(cp *flags.Checkpoint) (err error) {
	p.checkpoint, err = cp.MarshalBinary()
	p.size = len(p.checkpoint)
	return err
}

func (c *Cache) run(ctx context.Context, p *put) (cachestrategy.Outcome, error) {
	head, err := p.head.MarshalBinary()
	if err != nil {
		return cachestrategy.Unchanged, permanent("put", p.head.Set, err)
	}
	args := append([]any{
		string(p.head.Lineage), versionText(p.head.Version), p.head.Digest.Bytes(), head, p.asOf, p.end,
		p.keep.Milliseconds(), 2 * p.keep.Milliseconds(), p.switches, maxTail, maxTailBytes,
		p.checkpoint, versionText(p.before), p.margin, format, p.head.Digest.String(),
	}, p.commits...)
	keys := c.keys(p.head.Set)
	call := c.quick
	if p.size > bulkBytes {
		call = c.bulk
	}
	var text string
	err = call(ctx, func(ctx context.Context, client *redis.Client) (err error) {
		text, err = c.script.Run(ctx, client, keys[:], args...).Text()
		return err
	})
	if err != nil {
		return cachestrategy.Unchanged, classify(ctx, "put", p.head.Set, err)
	}
	outcome := cachestrategy.Unchanged
	for outcome.String() != text { // the script speaks in the names of the outcomes
		if outcome++; outcome > cachestrategy.Gap {
			return cachestrategy.Unchanged, permanent("put", p.head.Set, fmt.Errorf("the script answered %q", text))
		}
	}
	if outcome == cachestrategy.Stored {
		c.damaged.Delete(p.head.Set)
	}
	return outcome, nil
}

package restapi

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/authz"
	"github.com/holdfast-flags/holdfast/store"
)

// Bounds of what a write says.
const (
	editLimit      = 15 * time.Second // for the store
	maxReason      = 1024             // bytes
	maxIdempotency = 255              // bytes of a key
)

// edit is a request that writes.
type edit struct {
	*Service
	w      http.ResponseWriter
	r      *http.Request
	commit flags.Commit
	keyed  bool // it has an Idempotency-Key, from which the commit's ID is
	dryRun bool
	entry  *flags.EntryKey // what the resource is; nil: the set
}

// begin reads what all writes have in common, once it is known that they are allowed.
func (s *Service) begin(w http.ResponseWriter, r *http.Request) (*edit, error) {
	if err := s.allowed(r); err != nil {
		return nil, err
	}
	set := r.PathValue("set")
	if err := flags.CheckSetName(set); err != nil {
		return nil, err
	}
	e := &edit{Service: s, w: w, r: r}
	who := authz.PrincipalOf(r.Context())
	e.commit = flags.Commit{Set: set, ID: flags.NewCommitID(), Address: hostOf(r.RemoteAddr), Actor: flags.Actor{Kind: "user", Via: "rest"}}
	if who.Kind != "" {
		e.commit.Actor.Kind, e.commit.Actor.ID = who.Kind, who.ID
	}
	e.commit.Actor = who.Actor(e.commit.Actor)
	var err error
	if e.commit.Reason, err = reasonOf(r); err != nil {
		return nil, err
	}
	if e.dryRun, err = boolOf(r, "dry-run"); err != nil {
		return nil, err
	}
	if key := r.Header.Get(restwire.IdempotencyHeader); key != "" {
		if len(key) > maxIdempotency {
			return nil, invalid("%s of %d bytes; at most %d", restwire.IdempotencyHeader, len(key), maxIdempotency)
		}
		e.keyed, e.commit.ID = true, commitID(who, set, key)
	}
	return e, nil
}

// commitID makes an idempotency key the commit's own. Keys of others are other keys.
func commitID(who authz.Principal, set, key string) (id flags.CommitID) {
	sum := sha256.Sum256([]byte(who.String() + "\x00" + set + "\x00" + key))
	copy(id[:], sum[:])
	return id
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "" // within one process
	}
	return host
}

func reasonOf(r *http.Request) (string, error) {
	reason := cmp.Or(r.Header.Get(restwire.ReasonHeader), r.URL.Query().Get("reason"))
	if len(reason) > maxReason || !utf8.ValidString(reason) {
		return "", invalid("reason: want at most %d bytes of UTF-8", maxReason)
	}
	if strings.ContainsFunc(reason, flags.Unprintable) {
		return "", invalid("reason: control characters and marks of direction are not taken")
	}
	return reason, nil
}

// boolOf reads a parameter that is set by its name alone, too.
func boolOf(r *http.Request, name string) (bool, error) {
	values, there := r.URL.Query()[name]
	if !there || values[0] == "" {
		return there, nil
	}
	yes, err := strconv.ParseBool(values[0])
	if err != nil {
		return false, invalid("%s=%.20q; want true or false", name, values[0])
	}
	return yes, nil
}

// conditionSet makes the commit apply only while the set is as If-Match wants it.
func (e *edit) conditionSet() error {
	if e.r.Header.Get("If-Match") == "" {
		return nil
	}
	head, err := e.opts.Store.Head(e.r.Context(), e.commit.Set)
	e.commit.If = head.Version
	return err
}

// errDryRun stops an edit once it is known what it would do.
var errDryRun = errors.New("dry run")

// written is the answer to a write.
type written struct {
	Token   string           `json:"token"`             // where the set is now
	Commit  *restwire.Commit `json:"commit,omitempty"`  // left out: nothing was to be changed
	Changed int              `json:"changed"`           // entries
	DryRun  bool             `json:"dryRun,omitempty"`  // nothing was written
	Changes []difference     `json:"changes,omitempty"` // of a dry run
}

// apply makes the edit. fits says whether a commit that was made with the same
// idempotency key before can have been this request.
func (e *edit) apply(fits func(*flags.Commit) bool, change func(*store.View) ([]flags.Mutation, error)) error {
	ctx, cancel := context.WithTimeout(e.r.Context(), editLimit)
	defer cancel()
	if done, err := e.repeated(ctx, fits); done || err != nil {
		return err
	}
	out := written{DryRun: e.dryRun}
	var at flags.Head
	accepted, err := store.Edit(ctx, e.opts.Store, e.commit, func(v *store.View) ([]flags.Mutation, error) {
		at = v.Head()
		if err := live(at); err != nil {
			return nil, err
		}
		if e.entry == nil {
			if err := setMeets(e.r, at, true); err != nil {
				return nil, err
			}
		}
		changes, err := change(v)
		if err != nil || !e.dryRun {
			return changes, err
		}
		if len(changes) > 0 {
			err = v.Check(changes)
		}
		out.Changed, out.Changes = len(changes), differences(v, changes)
		return nil, cmp.Or(err, errDryRun)
	})
	switch {
	case errors.Is(err, errDryRun):
		return e.answer(at, out)
	case err == nil && len(accepted.Changes) > 0:
		return e.accepted(&accepted)
	}
	// The same request at the same time may have been faster.
	if done, again := e.repeated(ctx, fits); done || again != nil {
		return again
	}
	if err != nil {
		return err
	}
	return e.answer(at, out)
}

// repeated answers a request that was made before as it was answered then.
func (e *edit) repeated(ctx context.Context, fits func(*flags.Commit) bool) (bool, error) {
	if !e.keyed || e.dryRun {
		return false, nil
	}
	c, found, err := store.Find(ctx, e.opts.Store, e.commit.Set, e.commit.ID)
	if err != nil || !found {
		return false, err
	}
	if c.Actor != e.commit.Actor || !fits(&c) {
		return false, problem(restwire.KeyReused.With(fmt.Sprintf("%s has made %s already, which is not what is asked for now", restwire.IdempotencyHeader, c.Head().Token())))
	}
	return true, e.accepted(&c)
}

// accepted answers with a commit. All of it is from the commit, so that a repeated
// request gets the same.
func (e *edit) accepted(c *flags.Commit) error {
	out := written{Changed: len(c.Changes)}
	status := http.StatusOK
	m := restwire.FromCommit(c)
	if len(m.Changes) > mostShown {
		m.Changes = nil // who sent a file has it
	}
	out.Commit = &m
	if c.Op == flags.OpCreate || e.entry != nil && created(c, *e.entry) {
		status = http.StatusCreated
	}
	if e.entry != nil && holds(c, *e.entry) {
		e.w.Header().Set("ETag", entryTag(c.Head(), c.Revision))
	}
	return e.send(c.Head(), status, out)
}

// mostShown is how many changes the answer to a write repeats.
const mostShown = 100

func (e *edit) answer(at flags.Head, out written) error { return e.send(at, http.StatusOK, out) }

func (e *edit) send(at flags.Head, status int, out written) error {
	out.Token = at.Token().String()
	e.w.Header().Set(restwire.RevisionHeader, out.Token)
	e.w.Header().Set("Cache-Control", "no-store")
	writeJSON(e.w, "application/json", status, out)
	return nil
}

func changed(at flags.Token, detail string) error {
	p := restwire.Changed.With(detail)
	p.Token = at.String()
	return problem(p)
}

// live returns an error for a set that takes no changes.
func live(h flags.Head) error {
	if h.Status != flags.StatusLive {
		return fmt.Errorf("%w: %s is %s; create it again first", store.ErrEnded, h.Token(), h.Status)
	}
	return nil
}

// created reports whether the commit was made on condition that there was no such entry.
func created(c *flags.Commit, key flags.EntryKey) bool {
	for _, p := range c.Conditions {
		if p.Key == key {
			return p.Version.IsZero() && holds(c, key)
		}
	}
	return false
}

// holds reports whether the commit gives the entry its bytes.
func holds(c *flags.Commit, key flags.EntryKey) bool {
	for _, m := range c.Changes {
		if m.Key == key {
			return m.Bytes != nil
		}
	}
	return false
}

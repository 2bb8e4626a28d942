package authz

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Kinds of records.
const (
	keyKind  = "apikey"
	usedKind = "apikey-used" // apart, so that using a key is never in the way of revoking it
)

// keepEnded is how long keys can be seen after they were revoked or expired.
const keepEnded = 30 * 24 * time.Hour

// CreateKey stores a new key and returns it with its text, which nobody can see again.
// Role is required; ID, Hash and Created are filled in. The error wraps flags.ErrInvalid
// for what no key can be, store.ErrExists for a name that is taken, or is the store's.
func CreateKey(ctx context.Context, r store.Records, k Key) (text string, _ Key, err error) {
	id, secret := draw()
	k.ID = id
	return createKey(ctx, r, k, secret)
}

func createKey(ctx context.Context, r store.Records, k Key, secret []byte) (text string, _ Key, err error) {
	now := time.Now().UTC().Truncate(time.Second)
	k.normal()
	k.Hash, k.Created = hashOf(secret), now
	k.Revoked, k.RevokedBy = time.Time{}, ""
	if !k.Expires.IsZero() {
		k.Expires = k.Expires.UTC().Truncate(time.Second)
	}
	if err := k.check(); err != nil {
		return "", Key{}, err
	}
	if k.State(now) == "expired" {
		return "", Key{}, fmt.Errorf("%w: API key: it would expire in the past", flags.ErrInvalid)
	}
	if err := freeName(ctx, r, k.Name, now); err != nil {
		return "", Key{}, err
	}
	if err := putKey(ctx, r, k, 0); err != nil {
		return "", Key{}, err
	}
	return keyText(k.ID, secret), k, nil
}

func freeName(ctx context.Context, r store.Records, name string, now time.Time) error {
	if name == "" {
		return nil
	}
	keys, err := ListKeys(ctx, r)
	if err != nil {
		return err
	}
	for i := range keys {
		if keys[i].Name == name && keys[i].State(now) == "active" {
			return fmt.Errorf("%w: key %s is called %q; revoke it or choose another name", store.ErrExists, keys[i].ID, name)
		}
	}
	return nil
}

func putKey(ctx context.Context, r store.Records, k Key, version uint64) error {
	data, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("API key %s: %w", k.ID, err)
	}
	it := store.Item{Kind: keyKind, ID: k.ID, Version: version, Bytes: data}
	switch {
	case !k.Revoked.IsZero():
		it.Expires = k.Revoked.Add(keepEnded)
	case !k.Expires.IsZero():
		it.Expires = k.Expires.Add(keepEnded)
	}
	_, err = r.PutRecord(ctx, it)
	return err
}

// ListKeys returns all keys by id, also those that ended within 30 days.
func ListKeys(ctx context.Context, r store.Records) ([]Key, error) {
	items, err := r.ListRecords(ctx, keyKind)
	if err != nil {
		return nil, err
	}
	used, err := r.ListRecords(ctx, usedKind)
	if err != nil {
		return nil, err
	}
	last := map[string]time.Time{}
	for _, it := range used {
		if at, err := time.Parse(time.RFC3339, string(it.Bytes)); err == nil {
			last[it.ID] = at
		}
	}
	keys := make([]Key, 0, len(items))
	for _, it := range items {
		k, err := decodeKey(it.ID, it.Bytes)
		if err != nil {
			return nil, err
		}
		k.LastUsed = last[k.ID]
		keys = append(keys, *k)
	}
	return keys, nil
}

// RevokeKey ends a key for good and returns it. by is who did. It is idempotent. The error
// wraps store.ErrNotFound where there is no such key.
func RevokeKey(ctx context.Context, r store.Records, id, by string) (Key, error) {
	for {
		it, err := r.GetRecord(ctx, keyKind, id)
		if err != nil {
			return Key{}, err
		}
		k, err := decodeKey(id, it.Bytes)
		if err != nil {
			return Key{}, err
		}
		if !k.Revoked.IsZero() {
			return *k, nil
		}
		k.Revoked, k.RevokedBy = time.Now().UTC().Truncate(time.Second), by
		if err := putKey(ctx, r, *k, it.Version); !errors.Is(err, store.ErrConflict) {
			return *k, err
		}
	}
}

// firstID is the same at all routers of a database, so that one of them makes the key.
const firstID = "firstadmin"

// FirstKey makes an admin key where there is no key at all yet, nor any that ended within
// 30 days. text is empty where there was one.
func FirstKey(ctx context.Context, r store.Records) (text string, err error) {
	keys, err := r.ListRecords(ctx, keyKind)
	if err != nil || len(keys) > 0 {
		return "", err
	}
	_, secret := draw()
	text, _, err = createKey(ctx, r, Key{ID: firstID, Name: "first admin", Role: Administrator, CreatedBy: "flagrouter"}, secret)
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrExists) {
		return "", nil // another router was faster
	}
	return text, err
}

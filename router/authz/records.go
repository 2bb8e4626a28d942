package authz

import (
	"context"

	"github.com/holdfast-flags/holdfast/store"
)

// Records returns the records that the keys are in, for all who write them: what they
// change about keys counts here at once, and is in the log with who did it.
func (k *Keys) Records() store.Records { return &watched{k.opts.Records, k} }

type watched struct {
	store.Records
	keys *Keys
}

// Unwrap returns the records behind.
func (w *watched) Unwrap() store.Records { return w.Records }

// PutRecord is store.Records'.
func (w *watched) PutRecord(ctx context.Context, it store.Item) (store.Item, error) {
	out, err := w.Records.PutRecord(ctx, it)
	w.changed(ctx, "put", it.Kind, it.ID, err)
	return out, err
}

// DeleteRecord is store.Records'.
func (w *watched) DeleteRecord(ctx context.Context, kind, id string, version uint64) error {
	err := w.Records.DeleteRecord(ctx, kind, id, version)
	w.changed(ctx, "deleted", kind, id, err)
	return err
}

// changed reads the keys again also after an error: it may be unknown what was done. That
// they cannot be read now is no failure of the change; the next poll tries again.
func (w *watched) changed(ctx context.Context, what, kind, id string, err error) {
	if kind != keyKind {
		return
	}
	_ = w.keys.Reload(context.WithoutCancel(ctx))
	if err == nil {
		w.keys.opts.Logger.InfoContext(ctx, "an API key was "+what, "key", id, "by", PrincipalOf(ctx).String())
	}
}

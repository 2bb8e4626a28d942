package openfeature

import (
	"context"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/holdfast-flags/holdfast/flags"
)

// BooleanEvaluation resolves a boolean flag.
func (p *Provider) BooleanEvaluation(ctx context.Context, flag string, fallback bool, flat of.FlattenedContext) of.BoolResolutionDetail {
	return evaluate(ctx, p, flag, fallback, flat, flags.View.BoolDetails, (*flags.Client).BoolDetails)
}

// StringEvaluation resolves a string flag.
func (p *Provider) StringEvaluation(ctx context.Context, flag, fallback string, flat of.FlattenedContext) of.StringResolutionDetail {
	return evaluate(ctx, p, flag, fallback, flat, flags.View.StringDetails, (*flags.Client).StringDetails)
}

// FloatEvaluation resolves a number flag.
func (p *Provider) FloatEvaluation(ctx context.Context, flag string, fallback float64, flat of.FlattenedContext) of.FloatResolutionDetail {
	return evaluate(ctx, p, flag, fallback, flat, flags.View.FloatDetails, (*flags.Client).FloatDetails)
}

// IntEvaluation resolves a number flag that is an integer of up to 2^53-1 either way; any
// other number is a TYPE_MISMATCH, as nothing is lost in silence.
func (p *Provider) IntEvaluation(ctx context.Context, flag string, fallback int64, flat of.FlattenedContext) of.IntResolutionDetail {
	return evaluate(ctx, p, flag, fallback, flat, flags.View.IntDetails, (*flags.Client).IntDetails)
}

// ObjectEvaluation resolves an object flag: map[string]any or []any as encoding/json makes
// them, the caller's to keep.
func (p *Provider) ObjectEvaluation(ctx context.Context, flag string, fallback any, flat of.FlattenedContext) of.InterfaceResolutionDetail {
	d := evaluate(ctx, p, flag, flags.Value{}, flat, flags.View.ObjectDetails, (*flags.Client).ObjectDetails)
	r := of.InterfaceResolutionDetail{Value: fallback, ProviderResolutionDetail: d.ProviderResolutionDetail}
	if !d.Value.IsNull() { // an object or array, as nothing else fits
		r.Value = d.Value.Any()
	}
	return r
}

// evaluate reads a flag from a view, which takes no hooks into account and so may lend it a context,
// or from the client where that has hooks, which may keep the context they are given.
func evaluate[T any](
	ctx context.Context, p *Provider, key string, fallback T, flat of.FlattenedContext,
	read func(flags.View, string, flags.EvaluationContext, T) flags.Details[T],
	hooked func(*flags.Client, context.Context, string, flags.EvaluationContext, T) flags.Details[T],
) (r of.GenericResolutionDetail[T]) {
	if p.client.Hooked() {
		s := newScope(flat)
		d := hooked(p.client, ctx, key, s.ec, fallback)
		fill(&r, &d, fallback, s.err)
		if !p.opts.WithoutMetadata {
			r.FlagMetadata = metadataOf(&d)
		}
		return r
	}
	view := p.client.View(ctx)
	if p.opts.WithoutMetadata {
		s := borrow(flat)
		d := read(view, key, s.ec, fallback)
		fill(&r, &d, fallback, s.giveBack())
		return r
	}
	slot := p.slot(view.Snapshot(), key)
	k := slot.of(key)
	if k != nil && k.static {
		d := read(view, key, flags.EvaluationContext{}, fallback)
		fill(&r, &d, fallback, nil)
		r.FlagMetadata = describe(p, slot, k, key, &d)
		return r
	}
	s := borrow(flat)
	d := read(view, key, s.ec, fallback)
	fill(&r, &d, fallback, s.giveBack())
	r.FlagMetadata = describe(p, slot, k, key, &d)
	return r
}

// fill copies details into the form of OpenFeature. invalid is what was wrong with the
// context, where the rule came across it: then its answer counts for nothing.
func fill[T any](r *of.GenericResolutionDetail[T], d *flags.Details[T], fallback T, invalid error) {
	if invalid != nil {
		r.Value, r.Reason = fallback, of.ErrorReason
		r.ResolutionError = of.NewInvalidContextResolutionError(invalid.Error())
		return
	}
	r.Value, r.Variant, r.Reason = d.Value, d.Variant, of.Reason(d.Reason.String())
	if d.ErrorCode != flags.ErrorNone {
		r.ResolutionError = resolutionError(d.ErrorCode, d.ErrorMessage(), d.Err())
	}
}

// resolutionError translates error codes, one to one.
func resolutionError(code flags.ErrorCode, message string, cause error) of.ResolutionError {
	switch code {
	case flags.ErrorProviderNotReady:
		return of.NewProviderNotReadyResolutionError(message)
	case flags.ErrorFlagNotFound:
		return of.NewFlagNotFoundResolutionError(message)
	case flags.ErrorParse:
		return of.NewParseErrorResolutionError(message, cause)
	case flags.ErrorTypeMismatch:
		return of.NewTypeMismatchResolutionError(message)
	default:
		return of.NewGeneralResolutionError(message, cause)
	}
}

package evalsvc

import (
	"github.com/holdfast-flags/holdfast/flags"
	v1 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v1"
	v2 "github.com/holdfast-flags/holdfast/internal/pb/flagd/evaluation/v2"
)

// present returns the value and the variant as version 2 sends them: not at all where
// they are absent.
func (a *answer[T]) present() (value *T, variant *string) {
	if a.absent {
		return nil, nil
	}
	return &a.value, &a.variant
}

func boolean2(a *answer[bool]) (*v2.ResolveBooleanResponse, error) {
	value, variant := a.present()
	return &v2.ResolveBooleanResponse{Value: value, Variant: variant, Reason: a.reason, Metadata: a.metadata}, nil
}

func string2(a *answer[string]) (*v2.ResolveStringResponse, error) {
	value, variant := a.present()
	return &v2.ResolveStringResponse{Value: value, Variant: variant, Reason: a.reason, Metadata: a.metadata}, nil
}

func float2(a *answer[float64]) (*v2.ResolveFloatResponse, error) {
	value, variant := a.present()
	return &v2.ResolveFloatResponse{Value: value, Variant: variant, Reason: a.reason, Metadata: a.metadata}, nil
}

func int2(a *answer[int64]) (*v2.ResolveIntResponse, error) {
	value, variant := a.present()
	return &v2.ResolveIntResponse{Value: value, Variant: variant, Reason: a.reason, Metadata: a.metadata}, nil
}

func object2(a *answer[flags.Value]) (*v2.ResolveObjectResponse, error) {
	value, variant := a.present()
	res := &v2.ResolveObjectResponse{Variant: variant, Reason: a.reason, Metadata: a.metadata}
	if value != nil {
		res.Value = toStruct(*value)
	}
	return res, nil
}

// spoken returns an error where the older protocols have no words for an absent value.
// A disabled flag they know, as the zero value.
func (a *answer[T]) spoken() error {
	if a.absent && a.reason != flags.ReasonDisabled.String() {
		return evaluationError(flags.ErrorFlagNotFound, "the flag has no value for this context, and no default variant")
	}
	return nil
}

func boolean1(a *answer[bool]) (*v1.ResolveBooleanResponse, error) {
	return &v1.ResolveBooleanResponse{Value: a.value, Variant: a.variant, Reason: a.reason, Metadata: a.metadata}, a.spoken()
}

func string1(a *answer[string]) (*v1.ResolveStringResponse, error) {
	return &v1.ResolveStringResponse{Value: a.value, Variant: a.variant, Reason: a.reason, Metadata: a.metadata}, a.spoken()
}

func float1(a *answer[float64]) (*v1.ResolveFloatResponse, error) {
	return &v1.ResolveFloatResponse{Value: a.value, Variant: a.variant, Reason: a.reason, Metadata: a.metadata}, a.spoken()
}

func int1(a *answer[int64]) (*v1.ResolveIntResponse, error) {
	return &v1.ResolveIntResponse{Value: a.value, Variant: a.variant, Reason: a.reason, Metadata: a.metadata}, a.spoken()
}

func object1(a *answer[flags.Value]) (*v1.ResolveObjectResponse, error) {
	return &v1.ResolveObjectResponse{Value: toStruct(a.value), Variant: a.variant, Reason: a.reason, Metadata: a.metadata}, a.spoken()
}

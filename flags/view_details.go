package flags

// BoolDetails is Bool with how the value came about.
func (v View) BoolDetails(key string, ec EvaluationContext, fallback bool) BoolDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.bool(fallback)
	return detailsOf(a, value, fits)
}

// StringDetails is String with how the value came about.
func (v View) StringDetails(key string, ec EvaluationContext, fallback string) StringDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.string(fallback)
	return detailsOf(a, value, fits)
}

// IntDetails is Int with how the value came about.
func (v View) IntDetails(key string, ec EvaluationContext, fallback int64) IntDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.int(fallback)
	return detailsOf(a, value, fits)
}

// FloatDetails is Float with how the value came about.
func (v View) FloatDetails(key string, ec EvaluationContext, fallback float64) FloatDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.float(fallback)
	return detailsOf(a, value, fits)
}

// ObjectDetails is Object with how the value came about.
func (v View) ObjectDetails(key string, ec EvaluationContext, fallback Value) ValueDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.object(fallback)
	return detailsOf(a, value, fits)
}

// ValueDetails is Value with how the value came about.
func (v View) ValueDetails(key string, ec EvaluationContext, fallback Value) ValueDetails {
	a := v.resolve(key, ec)
	value, fits := a.chosen.any(fallback)
	return detailsOf(a, value, fits)
}

// GetFlags appends the details of each key to dst, in order, and returns it: with
// room in dst it allocates nothing. One bad key spoils nothing; where there is no
// value, Value is null.
func (v View) GetFlags(dst []FlagDetails, ec EvaluationContext, keys ...string) []FlagDetails {
	for _, key := range keys {
		dst = append(dst, FlagDetails{key, v.ValueDetails(key, ec, Value{})})
	}
	return dst
}

package flags

// BoolDetails is Bool with how the value came about.
func (v View) BoolDetails(key string, ec EvaluationContext, fallback bool) (d BoolDetails) {
	n, o, reason, code := v.resolve(key, ec)
	value, fits := o.bool(fallback)
	d.Value = value
	d.set(v.p, n, o, reason, code, fits)
	return d
}

// StringDetails is String with how the value came about.
func (v View) StringDetails(key string, ec EvaluationContext, fallback string) (d StringDetails) {
	n, o, reason, code := v.resolve(key, ec)
	value, fits := o.string(fallback)
	d.Value = value
	d.set(v.p, n, o, reason, code, fits)
	return d
}

// IntDetails is Int with how the value came about.
func (v View) IntDetails(key string, ec EvaluationContext, fallback int64) (d IntDetails) {
	n, o, reason, code := v.resolve(key, ec)
	value, fits := o.int(fallback)
	d.Value = value
	d.set(v.p, n, o, reason, code, fits)
	return d
}

// FloatDetails is Float with how the value came about.
func (v View) FloatDetails(key string, ec EvaluationContext, fallback float64) (d FloatDetails) {
	n, o, reason, code := v.resolve(key, ec)
	value, fits := o.float(fallback)
	d.Value = value
	d.set(v.p, n, o, reason, code, fits)
	return d
}

// ObjectDetails is Object with how the value came about.
func (v View) ObjectDetails(key string, ec EvaluationContext, fallback Value) (d ValueDetails) {
	n, o, reason, code := v.resolve(key, ec)
	value, fits := o.object(fallback)
	d.Value = value
	d.set(v.p, n, o, reason, code, fits)
	return d
}

// ValueDetails is Value with how the value came about.
func (v View) ValueDetails(key string, ec EvaluationContext, fallback Value) (d ValueDetails) {
	n, o, reason, code := v.resolve(key, ec)
	d.Value = o.any(fallback)
	d.set(v.p, n, o, reason, code, true)
	return d
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

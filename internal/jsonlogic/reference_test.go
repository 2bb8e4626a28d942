package jsonlogic_test

import (
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/murmur3"
	"golang.org/x/mod/semver"
)

// reference evaluates rules the slow and obvious way, on the values of encoding/json, walking the rule each time. It
// shares nothing with the package.
type reference struct {
	root       map[string]any // the context, with $flagd in it
	evaluators map[string]any
	flagKey    string
}

type undef struct{} // JavaScript's undefined

func (r *reference) apply(rule, data any) any {
	switch rule := rule.(type) {
	case []any:
		list := []any{}
		for _, e := range rule {
			list = append(list, orNull(r.apply(e, data)))
		}
		return list
	case map[string]any:
		if len(rule) != 1 {
			return rule
		}
		for op, args := range rule {
			if op == "$ref" {
				return r.apply(r.evaluators[args.(string)], data)
			}
			if m, ok := args.(map[string]any); ok && len(m) == 1 && m["$ref"] != nil {
				args = r.evaluators[m["$ref"].(string)]
			}
			list, ok := args.([]any)
			if !ok {
				list = []any{args}
			}
			return r.operation(op, list, data)
		}
	}
	return rule
}

func orNull(v any) any {
	if v == (undef{}) {
		return nil
	}
	return v
}

func (r *reference) operation(op string, rules []any, data any) any {
	lazy := func(i int) any {
		if i >= len(rules) {
			return undef{}
		}
		return r.apply(rules[i], data)
	}
	switch op {
	case "if", "?:":
		for i := 0; i < len(rules); i += 2 {
			if i+1 == len(rules) {
				return lazy(i)
			}
			if refTruthy(lazy(i)) {
				return lazy(i + 1)
			}
		}
		return nil
	case "and", "or":
		var v any = undef{}
		for i := range rules {
			if v = lazy(i); refTruthy(v) == (op == "or") {
				return v
			}
		}
		return v
	case "map", "filter", "reduce", "all", "none", "some":
		return r.iterate(op, rules, lazy)
	case "fractional":
		return r.fractional(rules, data)
	}
	args := []any{}
	for i := range rules {
		args = append(args, lazy(i))
	}
	return r.eager(op, args, data)
}

func (r *reference) iterate(op string, rules []any, lazy func(int) any) any {
	list, isList := lazy(0).([]any)
	var body any = undef{}
	if len(rules) > 1 {
		body = rules[1]
	}
	mapped, kept, truths := []any{}, []any{}, 0
	if op == "reduce" {
		var acc any
		if len(rules) > 2 {
			acc = lazy(2)
		}
		for _, e := range list {
			acc = r.apply(body, map[string]any{"current": e, "accumulator": orNull(acc)})
		}
		return acc
	}
	for _, e := range list {
		v := r.apply(body, e)
		mapped = append(mapped, orNull(v))
		if refTruthy(v) {
			kept, truths = append(kept, e), truths+1
		}
	}
	switch op {
	case "map":
		return mapped
	case "filter":
		return kept
	case "all":
		return isList && len(list) > 0 && truths == len(list)
	case "none":
		return truths == 0
	}
	return truths > 0
}

func (r *reference) eager(op string, args []any, data any) any {
	arg := func(i int) any {
		if i < len(args) {
			return args[i]
		}
		return undef{}
	}
	a, b, c := arg(0), arg(1), arg(2)
	switch op {
	case "var":
		if v, ok := refPath(data, a); ok {
			return v
		}
		return orNull(b)
	case "missing":
		return refMissing(data, args)
	case "missing_some":
		options, ok := b.([]any)
		if !ok {
			if orNull(b) == nil {
				return nil
			}
			options = []any{b}
		}
		gone := refMissing(data, options)
		if float64(len(options)-len(gone)) >= refNumber(a) {
			return []any{}
		}
		return gone
	case "==":
		return refLoose(a, b)
	case "!=":
		return !refLoose(a, b)
	case "===":
		return refStrict(a, b)
	case "!==":
		return !refStrict(a, b)
	case "!":
		return !refTruthy(a)
	case "!!":
		return refTruthy(a)
	case "<":
		return refLess(a, b, false) && (c == (undef{}) || refLess(b, c, false))
	case "<=":
		return refLess(a, b, true) && (c == (undef{}) || refLess(b, c, true))
	case ">":
		return refLess(b, a, false)
	case ">=":
		return refLess(b, a, true)
	case "+", "*", "-", "/", "%", "min", "max":
		return refArithmetic(op, args, a, b)
	case "merge":
		list := []any{}
		for _, e := range args {
			if inner, ok := e.([]any); ok {
				list = append(list, inner...)
			} else {
				list = append(list, orNull(e))
			}
		}
		return list
	case "in":
		switch hay := b.(type) {
		case string:
			return hay != "" && strings.Contains(hay, refText(a))
		case []any:
			return slices.ContainsFunc(hay, func(e any) bool { return refStrict(e, a) })
		}
		return false
	case "cat":
		text := ""
		for _, e := range args {
			if orNull(e) != nil {
				text += refText(e)
			}
		}
		return text
	case "substr":
		return refSubstr(a, b, c)
	case "sem_ver":
		return refSemver(args)
	case "starts_with", "ends_with":
		s, ok1 := a.(string)
		part, ok2 := b.(string)
		if !ok1 || !ok2 || len(args) != 2 {
			return nil
		}
		if op == "starts_with" {
			return strings.HasPrefix(s, part)
		}
		return strings.HasSuffix(s, part)
	}
	panic("reference: unknown operator " + op)
}

func refPath(data, name any) (any, bool) {
	if orNull(name) == nil || name == "" {
		return data, true
	}
	for _, key := range strings.Split(refText(name), ".") {
		switch d := data.(type) {
		case map[string]any:
			v, ok := d[key]
			if !ok {
				return nil, false
			}
			data = v
		case []any:
			if i, err := strconv.Atoi(key); err == nil && strconv.Itoa(i) == key && i >= 0 && i < len(d) {
				data = d[i]
			} else if key == "length" {
				data = float64(len(d))
			} else {
				return nil, false
			}
		case string:
			if key != "length" {
				return nil, false
			}
			data = float64(len([]rune(d)))
		default:
			return nil, false
		}
	}
	return data, true
}

func refMissing(data any, args []any) []any {
	if len(args) > 0 {
		if inner, ok := args[0].([]any); ok {
			args = inner
		}
	}
	gone := []any{}
	for _, name := range args {
		list, ok := name.([]any)
		if !ok {
			list = []any{name}
		}
		list = append(slices.Clone(list), undef{}, undef{})
		v, ok := refPath(data, list[0])
		if !ok {
			v = orNull(list[1])
		}
		if v == nil || v == (undef{}) || v == "" {
			gone = append(gone, orNull(name))
		}
	}
	return gone
}

func refTruthy(v any) bool {
	switch v := v.(type) {
	case nil, undef:
		return false
	case bool:
		return v
	case float64:
		return v != 0 && !math.IsNaN(v)
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	}
	return true
}

func refIsObject(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func refStrict(a, b any) bool { return !refIsObject(a) && !refIsObject(b) && a == b }

func refLoose(a, b any) bool {
	a, b = orNull(a), orNull(b)
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if refIsObject(a) && refIsObject(b) {
		return false
	}
	if refIsObject(a) {
		return refLoose(refText(a), b)
	}
	if refIsObject(b) {
		return refLoose(a, refText(b))
	}
	_, textA := a.(string)
	_, textB := b.(string)
	if textA && textB {
		return a == b
	}
	return refNumber(a) == refNumber(b)
}

func refLess(a, b any, orEqual bool) bool {
	if refIsObject(a) {
		a = refText(a)
	}
	if refIsObject(b) {
		b = refText(b)
	}
	s, textA := a.(string)
	t, textB := b.(string)
	if textA && textB {
		return s < t || orEqual && s == t
	}
	x, y := refNumber(a), refNumber(b)
	return x < y || orEqual && x == y
}

var (
	numeric = regexp.MustCompile(`^[+-]?(Infinity|\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)`)
	based   = regexp.MustCompile(`^0[xX][0-9a-fA-F]+$|^0[oO][0-7]+$|^0[bB][01]+$`)
)

const spaces = "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"

func refNumber(v any) float64 {
	switch v := v.(type) {
	case nil:
		return 0
	case bool:
		if v {
			return 1
		}
		return 0
	case float64:
		return v
	case string:
		s := strings.Trim(v, spaces)
		if s == "" {
			return 0
		}
		if based.MatchString(s) {
			n, _ := strconv.ParseUint(s, 0, 64)
			return float64(n)
		}
		if numeric.FindString(s) != s {
			return math.NaN()
		}
		f, _ := strconv.ParseFloat(s, 64)
		return f
	case []any:
		return refNumber(refText(v))
	}
	return math.NaN()
}

func refParseFloat(v any) float64 {
	s := numeric.FindString(strings.TrimLeft(refText(v), spaces))
	if s == "" {
		return math.NaN()
	}
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

func refText(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case undef:
		return "undefined"
	case bool:
		return strconv.FormatBool(v)
	case string:
		return v
	case float64:
		switch {
		case math.IsNaN(v):
			return "NaN"
		case math.IsInf(v, 0):
			return strings.Trim(strconv.FormatFloat(v, 'g', -1, 64)+"inity", "+")
		case v == 0:
			return "0"
		}
		text, _ := json.Marshal(v) // encoding/json writes numbers as JavaScript does
		return string(text)
	case []any:
		parts := []string{}
		for _, e := range v {
			if orNull(e) == nil {
				parts = append(parts, "")
			} else {
				parts = append(parts, refText(e))
			}
		}
		return strings.Join(parts, ",")
	}
	return "[object Object]"
}

func refArithmetic(op string, args []any, a, b any) any {
	switch op {
	case "+":
		sum := 0.0
		for _, e := range args {
			sum += refParseFloat(e)
		}
		return sum
	case "*":
		if len(args) == 0 {
			return nil
		}
		for _, e := range args[1:] {
			a = refParseFloat(a) * refParseFloat(e)
		}
		return a
	case "-":
		if b == (undef{}) {
			return -refNumber(a)
		}
		return refNumber(a) - refNumber(b)
	case "/":
		return refNumber(a) / refNumber(b)
	case "%":
		return math.Mod(refNumber(a), refNumber(b))
	}
	best := math.Inf(1)
	if op == "max" {
		best = math.Inf(-1)
	}
	for _, e := range args {
		f := refNumber(e)
		if math.IsNaN(f) {
			return f
		}
		if op == "max" && f > best || op == "min" && f < best {
			best = f
		}
	}
	for _, e := range args {
		if math.IsNaN(refNumber(e)) {
			return math.NaN()
		}
	}
	return best
}

func refSubstr(a, b, c any) any {
	runes := []rune(refText(a))
	size := float64(len(runes))
	whole := func(v any, absent float64) float64 {
		if v == (undef{}) {
			return absent
		}
		if f := math.Trunc(refNumber(v)); !math.IsNaN(f) {
			return f
		}
		return 0
	}
	start := whole(b, 0)
	if start < 0 {
		start = math.Max(0, size+start)
	}
	start = math.Min(start, size)
	runes = runes[int(start):]
	length := whole(c, size)
	if length < 0 {
		length += float64(len(runes))
	}
	length = math.Min(math.Max(length, 0), float64(len(runes)))
	return string(runes[:int(length)])
}

func refSemver(args []any) any {
	if len(args) != 3 {
		return nil
	}
	parse := func(v any) string {
		s, ok := v.(string)
		if f, isNumber := v.(float64); isNumber {
			s, ok = refText(f), true
		}
		if !ok {
			return ""
		}
		if !strings.HasPrefix(s, "v") && !strings.HasPrefix(s, "V") {
			s = "v" + s
		}
		s = "v" + s[1:]
		if !semver.IsValid(s) {
			return ""
		}
		return s
	}
	a, op, b := parse(args[0]), args[1], parse(args[2])
	if a == "" || b == "" {
		return nil
	}
	order := semver.Compare(a, b)
	switch op {
	case "=":
		return order == 0
	case "!=":
		return order != 0
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case ">=":
		return order >= 0
	case "^":
		return semver.Major(a) == semver.Major(b)
	case "~":
		return semver.MajorMinor(a) == semver.MajorMinor(b)
	}
	return nil
}

func (r *reference) fractional(rules []any, data any) any {
	if len(rules) < 2 {
		return nil
	}
	args := []any{}
	for _, rule := range rules {
		args = append(args, orNull(r.apply(rule, data)))
	}
	key, given := args[0].(string)
	if given || args[0] == nil {
		args = args[1:]
	}
	if !given {
		target, _ := r.root["targetingKey"].(string)
		if target == "" {
			return nil
		}
		key = r.flagKey + target
	}
	total := 0.0
	ends := []float64{}
	for _, arg := range args {
		entry, ok := arg.([]any)
		if !ok || len(entry) == 0 || refIsObject(entry[0]) {
			return nil
		}
		weight := 1.0
		if len(entry) > 1 && entry[1] != nil {
			f, ok := entry[1].(float64)
			if !ok || f != math.Trunc(f) {
				return nil
			}
			weight = math.Max(f, 0)
		}
		total += weight
		ends = append(ends, total)
		if total > math.MaxInt32 {
			return nil
		}
	}
	bucket := float64(uint64(murmur3.StringSum32(key)) * uint64(total) >> 32)
	for i, end := range ends {
		if bucket < end {
			return args[i].([]any)[0]
		}
	}
	return nil
}

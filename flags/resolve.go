package flags

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/internal/jsonlogic"
)

// resolve answers a flag for a context: the variant, or nil with the reason or
// error that leaves the caller's default to be used. The order is flagd's, with
// overrides where its targeting stands: after DISABLED, which is a kill switch for
// everybody, and before the rule.
func (n *flagNode) resolve(ec EvaluationContext) (*outcome, Reason, ErrorCode) {
	if n == nil {
		return nil, ReasonError, ErrorFlagNotFound
	}
	if n.fixed != nil {
		return n.fixed, ReasonStatic, ErrorNone
	}
	if n.rule != nil && ec.d != nil {
		// Most rules are answered here; foreign contexts have no attributes.
		if mark, ok := n.rule.Pick(ec.d.attrs); ok {
			return &n.outcomes[mark-1], ReasonTargetingMatch, ErrorNone
		}
	}
	return n.work(ec)
}

// find is resolve for those who ask for nothing but the value.
func (n *flagNode) find(ec EvaluationContext) *outcome {
	if n != nil && n.fixed != nil {
		return n.fixed
	}
	return n.decide(ec)
}

// decide is apart so that find is inlined, and a fixed answer costs no call.
func (n *flagNode) decide(ec EvaluationContext) *outcome {
	if n == nil {
		return nil
	}
	if n.rule != nil && ec.d != nil {
		if mark, ok := n.rule.Pick(ec.d.attrs); ok {
			return &n.outcomes[mark-1]
		}
	}
	o, _, _ := n.work(ec)
	return o
}

// work answers what is neither fixed nor picked.
func (n *flagNode) work(ec EvaluationContext) (*outcome, Reason, ErrorCode) {
	if n.mode >= modeStatic && n.overrides != nil && ec.d != nil {
		if o := n.overrides.get(ec.d.key()); o.text != nil {
			return found(n.outcome(o.text.variant))
		}
	}
	switch n.mode {
	case modeTargeted:
		return n.target(ec)
	case modeStatic:
		// Never STATIC where there is no value or anybody has an override: clients
		// keep a static answer for all contexts.
		return n.standard, ReasonDefault, ErrorNone
	case modeDisabled:
		return nil, ReasonDisabled, ErrorNone
	case modeBroken:
		return nil, ReasonError, ErrorParse
	default:
		return nil, ReasonError, ErrorFlagNotFound
	}
}

// target asks the rule.
func (n *flagNode) target(ec EvaluationContext) (*outcome, Reason, ErrorCode) {
	var scope jsonlogic.Scope
	switch {
	case ec.d == nil:
	case ec.d.foreign == nil:
		scope = ec.d.attrs
	default:
		scope = (*foreignScope)(ec.d)
	}
	v, err := n.evaluate(scope)
	switch {
	case err != nil:
		return nil, ReasonError, ErrorGeneral
	case v.Mark() != 0:
		return &n.outcomes[v.Mark()-1], ReasonTargetingMatch, ErrorNone
	case v.IsNull():
		return n.standard, ReasonDefault, ErrorNone
	default:
		return found(n.chosen(v))
	}
}

// found is the answer where rule or override named a variant.
func found(o *outcome) (*outcome, Reason, ErrorCode) {
	if o == nil {
		return nil, ReasonError, ErrorGeneral
	}
	return o, ReasonTargetingMatch, ErrorNone
}

// evaluate runs the whole rule. A panic in it, or in the code of a context that is
// not ours, costs this flag's answer and no more.
func (n *flagNode) evaluate(scope jsonlogic.Scope) (v jsonlogic.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in evaluation: %v", p)
		}
	}()
	return n.program.Eval(scope, jsonlogic.Env{})
}

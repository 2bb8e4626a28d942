package flags

import "testing"

// TestPanicInARuleIsThatFlagsError: the engine does not panic on any rule that can
// be written, so the rule here is one that cannot: none at all.
func TestPanicInARuleIsThatFlagsError(t *testing.T) {
	n := &flagNode{}
	n.mode = modeTargeted
	for name, ec := range map[string]EvaluationContext{"no context": {}, "a context": Entity("tenant-42", String("plan", "pro"))} {
		if o, reason, code := n.resolve(ec); o != nil || reason != ReasonError || code != ErrorGeneral {
			t.Errorf("%s: %v, %v, %v; want no variant, ERROR, GENERAL", name, o, reason, code)
		}
	}
}

package authz

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// Role is a named set of actions.
type Role string

// The roles. Each is limited to the sets of the key or certificate that has it, where
// that names any.
const (
	Reader        Role = "reader"    // sees sets, their flags and their history
	Evaluator     Role = "evaluator" // asks for values, and follows sets to evaluate them itself: applications
	Editor        Role = "editor"    // reader and evaluator, and changes flags
	Administrator Role = "admin"     // everything
)

// Roles returns all roles, the least first.
func Roles() []Role { return []Role{Reader, Evaluator, Editor, Administrator} }

var roleActions = map[Role][]Action{
	Reader:        {Read, Sync, List},
	Evaluator:     {Evaluate, Sync},
	Editor:        {Read, Sync, List, Evaluate, Write},
	Administrator: {Read, Sync, List, Evaluate, Write, Admin},
}

// anonymous is what everybody may do to public sets.
var anonymous = []Action{Evaluate, Sync}

// ParseRole returns the role of a name. The error names them all.
func ParseRole(name string) (Role, error) {
	if r := Role(name); roleActions[r] != nil {
		return r, nil
	}
	names := make([]string, 0, len(roleActions))
	for _, r := range Roles() {
		names = append(names, string(r))
	}
	return "", fmt.Errorf("role %.40q: want %s", name, strings.Join(names, ", "))
}

// grant is what somebody may do, and until when.
type grant struct {
	role Role
	sets []string        // sorted; empty: all
	only Action          // of a ticket: the one of the role's that it is for; 0: all of them
	life context.Context // ends when the grant does; nil: never
	seal []byte          // of tickets; nil: none are given
}

// covers reports whether the grant is for a set. Seeing which sets there are is for
// everybody who sees any, as each then sees only the own; whatever else is about no
// single set is about all of them.
func (g *grant) covers(a Action, set string) bool {
	return len(g.sets) == 0 || set == "" && a == List || slices.Contains(g.sets, set)
}

func (g *grant) allows(a Action, set string) bool {
	return slices.Contains(roleActions[g.role], a) && (g.only == 0 || g.only == a) && g.covers(a, set)
}

// Package authz decides who may do what to which flag set. Every handler asks it.
//
// There are two policies. Open lets everybody do everything. Keys asks for API keys
// or client certificates, each with a role and the sets it is for. What each method and
// route demands is in one table; see RuleOf.
package authz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// Action is what somebody wants to do.
type Action uint8

// The actions.
const (
	Read     Action = iota + 1 // read a set as its people do, its history included
	Evaluate                   // ask for values of flags of a set
	Write                      // commit changes to a set
	List                       // see which sets there are
	Admin                      // see clients and status; create and delete sets; keys
	Sync                       // fetch and follow a set, to evaluate it elsewhere
)

var actionNames = [...]string{"nothing", "read", "evaluate", "write", "list", "administer", "follow"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Principal is whom a request comes from. The zero Principal is anonymous.
// Principals can be compared.
type Principal struct {
	Kind string // "key", "cert" or empty
	ID   string // of a key, never the secret; subject of a certificate
	Name string // that people gave it; may be empty

	grant *grant // nil: nobody has checked
}

func (p Principal) String() string {
	if p.Kind == "" {
		return "anonymous"
	}
	return p.Kind + ":" + p.ID
}

// OnlySet returns the set that p is limited to, or empty where that is not exactly one.
func (p Principal) OnlySet() string {
	if p.grant == nil || len(p.grant.sets) != 1 {
		return ""
	}
	return p.grant.sets[0]
}

// Actor returns who a commit is by: p, where a policy knows who that is, whoever it
// claims to be by, else as it claims.
func (p Principal) Actor(claimed flags.Actor) flags.Actor {
	if p.grant == nil {
		return claimed
	}
	id := p.Name
	if id == "" {
		id = p.ID
	}
	return flags.Actor{Kind: p.Kind, ID: id, Via: claimed.Via}
}

// Policy tells who somebody is and what they may do. Implementations are safe
// for concurrent use. Handlers do not call Authenticate but Identify.
type Policy interface {
	// Authenticate returns who shows these credentials; who shows none is anonymous.
	// The error wraps ErrUnauthenticated or ErrLimited.
	Authenticate(c Credentials) (Principal, error)
	// Decide returns nil where p may, else an error wrapping ErrDenied, or
	// ErrUnauthenticated where credentials would help. set is empty for actions that
	// concern no single set.
	Decide(p Principal, a Action, set string) error
}

// Open lets everybody do everything.
type Open struct{}

var _ Policy = Open{}

// Authenticate takes any bearer token, and none. It tells tokens apart, for logs and
// for the list of clients, by a few digits of their hash.
func (Open) Authenticate(c Credentials) (Principal, error) {
	if c.Authorization == "" {
		return Principal{}, nil
	}
	key, err := bearer(c.Authorization)
	if err != nil {
		return Principal{}, err
	}
	sum := sha256.Sum256([]byte(key))
	return Principal{Kind: "key", ID: hex.EncodeToString(sum[:4])}, nil
}

// Decide allows.
func (Open) Decide(Principal, Action, string) error { return nil }

func bearer(header string) (string, error) {
	scheme, key, ok := strings.Cut(header, " ")
	if key = strings.TrimSpace(key); !ok || key == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", fmt.Errorf("%w: want \"authorization: Bearer KEY\"", ErrUnauthenticated)
	}
	return key, nil
}

type principalKey struct{}

// WithPrincipal returns a context that carries p.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// PrincipalOf returns the principal that ctx carries, else the anonymous one.
func PrincipalOf(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}

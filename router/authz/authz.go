// Package authz decides who may do what to which flag set. Every handler asks
// it, so that switching access control on changes no handler.
//
// Until API keys exist there is one policy, Open: everybody may do everything,
// and is still told apart, for logs and for the list of clients.
package authz

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// Errors of this package.
var (
	// ErrUnauthenticated: credentials that are malformed or not known.
	ErrUnauthenticated = errors.New("authz: unauthenticated")
	// ErrDenied: the principal may not do this.
	ErrDenied = errors.New("authz: denied")
)

// Action is what somebody wants to do.
type Action uint8

// The actions.
const (
	Read     Action = iota + 1 // read or follow a set, its history included
	Evaluate                   // ask for values of flags of a set
	Write                      // commit changes to a set
	List                       // see which sets there are
	Admin                      // see clients and status; create and delete sets
)

var actionNames = [...]string{"nothing", "read", "evaluate", "write", "list", "administer"}

func (a Action) String() string {
	if int(a) < len(actionNames) {
		return actionNames[a]
	}
	return fmt.Sprintf("action(%d)", uint8(a))
}

// Principal is whom a request comes from. The zero Principal is anonymous.
type Principal struct {
	Kind string // "key" or empty
	ID   string // of a key: the first digits of its hash, never the key
}

func (p Principal) String() string {
	if p.Kind == "" {
		return "anonymous"
	}
	return p.Kind + ":" + p.ID
}

// Policy tells who somebody is and what they may do. Implementations are safe
// for concurrent use.
type Policy interface {
	// Authenticate returns whom the value of an Authorization header stands for.
	// The error wraps ErrUnauthenticated.
	Authenticate(header string) (Principal, error)
	// Decide returns nil where p may, else an error wrapping ErrDenied. set is
	// empty for actions that concern no single set.
	Decide(p Principal, a Action, set string) error
}

// Open lets everybody do everything.
type Open struct{}

var _ Policy = Open{}

// Authenticate takes any bearer token, and none.
func (Open) Authenticate(header string) (Principal, error) {
	if header == "" {
		return Principal{}, nil
	}
	scheme, key, ok := strings.Cut(header, " ")
	if key = strings.TrimSpace(key); !ok || key == "" || !strings.EqualFold(scheme, "Bearer") {
		return Principal{}, fmt.Errorf("%w: want \"authorization: Bearer KEY\"", ErrUnauthenticated)
	}
	sum := sha256.Sum256([]byte(key))
	return Principal{Kind: "key", ID: hex.EncodeToString(sum[:4])}, nil
}

// Decide allows.
func (Open) Decide(Principal, Action, string) error { return nil }

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

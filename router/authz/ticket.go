package authz

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ticketWindow is how long the ticket of a key for a set stays the same. It is good until
// the end of the window after that: for ten to twenty minutes.
const ticketWindow = 10 * time.Minute

// Ticket returns what lets a page follow the events of a set by its URL, as a browser's
// EventSource sends no headers: ID.EXPIRY.MAC, of letters that a URL may hold as they are.
// It is empty where p has no API key. It is the same for ten minutes, and does no more
// than open streams of that set for ten to twenty; they end with the key. See WithTicket.
func (p Principal) Ticket(set string) string {
	if p.grant == nil || p.grant.seal == nil {
		return ""
	}
	window := int64(ticketWindow / time.Second)
	expiry := strconv.FormatInt((time.Now().Unix()/window+2)*window, 10)
	return p.ID + "." + expiry + "." + ticketMAC(p.grant.seal, p.ID, expiry, set)
}

// sealOf returns what the tickets of a key are sealed with. It is made of the hash, so that
// every router of a database has it; it is another for each purpose.
func sealOf(hash []byte) []byte {
	mac := hmac.New(sha256.New, hash)
	mac.Write([]byte("holdfast tickets v1"))
	return mac.Sum(nil)
}

// noSeal is what the ticket of a key that is not there is held against.
var noSeal = sealOf(noHash)

// ticketMAC is over the text of the parts, so that none has two spellings. The set is last:
// it alone may hold anything, as it comes from a URL.
func ticketMAC(seal []byte, id, expiry, set string) string {
	mac := hmac.New(sha256.New, seal)
	mac.Write([]byte("ofrep-sse\x00" + id + "\x00" + expiry + "\x00" + set))
	return text32.EncodeToString(mac.Sum(nil))
}

var (
	errTicket    = fmt.Errorf("%w: that is no ticket for these events; ask for all flags again, and use the URL in that answer", ErrUnauthenticated)
	errTicketOld = fmt.Errorf("%w: the ticket has expired; ask for all flags again, and use the URL in that answer", ErrUnauthenticated)
)

// findTicket returns the key that a ticket for a set is from. The text of the MAC is
// compared, since the last letter of base32 has bits that decoding drops.
func (k *Keys) findTicket(ticket, set string) (*entry, error) {
	id, rest, _ := strings.Cut(ticket, ".")
	expiry, mac, _ := strings.Cut(rest, ".")
	e, seal := (*k.ring.Load())[id], noSeal
	if e != nil {
		seal = e.who.grant.seal
	}
	proven := subtle.ConstantTimeCompare([]byte(mac), []byte(ticketMAC(seal, id, expiry, set))) == 1
	if e == nil || !proven && !k.opts.sabotage.unsealed {
		return nil, errTicket
	}
	until, err := strconv.ParseInt(expiry, 10, 64)
	if err != nil {
		return nil, errTicket
	}
	if err := k.Decide(e.who, Evaluate, set); err != nil {
		return nil, err // the key has ended, or is not for this set any more
	}
	if time.Now().Unix() >= until {
		return nil, errTicketOld
	}
	return e, nil
}

// holder returns who shows a ticket: p, for one action on one set, as long as p's rights last.
func (p Principal) holder(set string) Principal {
	p.grant = &grant{role: p.grant.role, sets: []string{set}, only: Evaluate, life: p.grant.life}
	return p
}

type shownKey struct{}

type shown struct{ ticket, set string }

// WithTicket returns a context in which Identify takes a ticket for a set, of a request
// without a key in its headers. It is for the routes that tickets are for, before they ask.
func WithTicket(ctx context.Context, ticket, set string) context.Context {
	return context.WithValue(ctx, shownKey{}, shown{ticket, set})
}

func shownIn(ctx context.Context) shown {
	s, _ := ctx.Value(shownKey{}).(shown)
	return s
}

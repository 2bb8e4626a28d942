package authz_test

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-flags/holdfast/router/authz"
)

// show logs in with a ticket for a set.
func (r *rig) show(ticket, set string) (authz.Principal, error) {
	return r.keys.Authenticate(authz.Credentials{Ticket: ticket, Set: set})
}

// TestTicket: a ticket stands for its key, for nothing but its set and following its events.
func TestTicket(t *testing.T) {
	r := newRig(t, authz.KeysOptions{PublicSets: []string{"open"}})
	text, key := r.make(authz.Key{Role: authz.Administrator})
	ticket := r.mustLogin(text).Ticket("shop")
	who, err := r.show(ticket, "shop")
	if err != nil || who.Kind != "key" || who.ID != key.ID || who.OnlySet() != "shop" {
		t.Fatalf("%v for %q, %v", who, who.OnlySet(), err)
	}
	for a := authz.Read; a <= authz.Sync; a++ {
		for _, set := range []string{"shop", "payroll", ""} {
			err := r.keys.Decide(who, a, set)
			if allowed := a == authz.Evaluate && set == "shop"; (err == nil) != allowed || err != nil && !errors.Is(err, authz.ErrDenied) {
				t.Errorf("%s %q: %v", a, set, err)
			}
		}
	}
	if again := who.Ticket("shop"); again != "" {
		t.Errorf("a ticket gave another, %q", again)
	}
	reader, _ := r.make(authz.Key{Role: authz.Reader})
	if _, err := r.show(r.mustLogin(reader).Ticket("shop"), "shop"); !errors.Is(err, authz.ErrDenied) {
		t.Errorf("the ticket of a key that may not evaluate: %v", err)
	}

	// The key in the header counts, whatever the ticket.
	for header, want := range map[string]error{text: nil, text + "x": authz.ErrUnauthenticated} {
		who, err := r.keys.Authenticate(authz.Credentials{Authorization: "Bearer " + header, Ticket: ticket, Set: "shop"})
		if !errors.Is(err, want) || err == nil && who.OnlySet() != "" {
			t.Errorf("beside a key: for %q, %v, want %v", who.OnlySet(), err, want)
		}
	}

	// Any router of the database takes it.
	other, err := authz.NewKeys(t.Context(), authz.KeysOptions{Records: r.records})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := other.Authenticate(authz.Credentials{Ticket: ticket, Set: "shop"}); err != nil {
		t.Errorf("another router: %v", err)
	}
}

// TestNoTicket: there are none for those without a key that was checked.
func TestNoTicket(t *testing.T) {
	r := newRig(t, authz.KeysOptions{Certificates: []authz.CertRole{{Subject: map[string]string{"CN": "x"}, Role: authz.Evaluator}}})
	cert, err := r.keys.Authenticate(authz.Credentials{Certificate: &x509.Certificate{Subject: pkix.Name{CommonName: "x"}}})
	if err != nil || cert.Kind != "cert" {
		t.Fatalf("%v, %v", cert, err)
	}
	open, err := authz.Open{}.Authenticate(authz.Credentials{Authorization: "Bearer hf_x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []authz.Principal{{}, cert, open} {
		if ticket := p.Ticket("shop"); ticket != "" {
			t.Errorf("%s has the ticket %q", p, ticket)
		}
	}
}

// TestTicketLife: a ticket is the same for ten minutes and good for ten more; it ends with
// its key before that.
func TestTicketLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, key := r.make(authz.Key{Role: authz.Evaluator, Sets: []string{"shop"}, Expires: time.Now().Add(time.Hour)})
		who := r.mustLogin(text)
		first := who.Ticket("shop") // virtual time begins with a window
		time.Sleep(10*time.Minute - time.Second)
		if got := who.Ticket("shop"); got != first {
			t.Errorf("in the same window %q, then %q", first, got)
		}
		time.Sleep(time.Second)
		if got := who.Ticket("shop"); got == first {
			t.Error("the next window has the same ticket")
		}
		time.Sleep(10*time.Minute - time.Second)
		if _, err := r.show(first, "shop"); err != nil {
			t.Errorf("in its last second: %v", err)
		}
		time.Sleep(time.Second)
		if _, err := r.show(first, "shop"); !errors.Is(err, authz.ErrUnauthenticated) || !strings.Contains(err.Error(), "ticket has expired") {
			t.Errorf("after it: %v", err)
		}

		// What was opened with a ticket outlives it, and does not outlive the key.
		at, err := r.show(who.Ticket("shop"), "shop")
		if err != nil {
			t.Fatal(err)
		}
		stream, stop := authz.Bind(t.Context(), at)
		defer stop()
		time.Sleep(30 * time.Minute)
		if stream.Err() != nil {
			t.Errorf("with the ticket ended %v", context.Cause(stream))
		}
		last := who.Ticket("shop")
		if _, err := authz.RevokeKey(t.Context(), r.keys.Records(), key.ID, "ana"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !errors.Is(context.Cause(stream), authz.ErrUnauthenticated) {
			t.Errorf("a stream of a revoked key: %v", context.Cause(stream))
		}
		if _, err := r.show(last, "shop"); !errors.Is(err, authz.ErrUnauthenticated) || !strings.Contains(err.Error(), "revoked") {
			t.Errorf("a ticket of a revoked key: %v", err)
		}
	})
}

// TestTicketOfExpiredKey ends with the key, whatever it says itself.
func TestTicketOfExpiredKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, authz.KeysOptions{})
		text, _ := r.make(authz.Key{Role: authz.Evaluator, Expires: time.Now().Add(time.Minute)})
		ticket := r.mustLogin(text).Ticket("shop")
		time.Sleep(time.Minute)
		synctest.Wait()
		if _, err := r.show(ticket, "shop"); !errors.Is(err, authz.ErrUnauthenticated) || !strings.Contains(err.Error(), "key has expired") {
			t.Errorf("%v", err)
		}
	})
}

// forged returns the tickets that were let in, of all that nobody was given.
func forged(t *testing.T, opts authz.KeysOptions) (in []string) {
	t.Helper()
	r := newRig(t, opts)
	text, key := r.make(authz.Key{Role: authz.Evaluator})
	neighbour, other := r.make(authz.Key{Role: authz.Evaluator})
	ticket := r.mustLogin(text).Ticket("shop")
	try := func(ticket, set string) {
		_, err := r.show(ticket, set)
		switch {
		case err == nil:
			in = append(in, ticket)
		case !errors.Is(err, authz.ErrUnauthenticated) || len(err.Error()) > 200 || strings.Contains(err.Error(), key.ID):
			t.Errorf("%q: %v", ticket, err)
		}
	}
	for i := range ticket {
		for _, c := range "ab2790.-=A\x00" {
			if byte(c) != ticket[i] {
				try(ticket[:i]+string(c)+ticket[i+1:], "shop")
			}
		}
		if i > 0 { // nothing at all is no ticket, and nobody
			try(ticket[:i], "shop")
		}
		try(ticket[:i]+ticket[i+1:], "shop")
		try(ticket[:i]+"0"+ticket[i:], "shop")
		try(ticket[:i]+strings.ToUpper(ticket[i:]), strings.Repeat("shop", 2))
	}
	for _, set := range []string{"", "shops", "payroll", "shop\x00", "Shop", "shop,flagSetId=payroll"} {
		try(ticket, set)
	}
	_, rest, _ := strings.Cut(ticket, ".")
	try(other.ID+"."+rest, "shop")
	_, foreign, _ := strings.Cut(r.mustLogin(neighbour).Ticket("shop"), ".")
	try(key.ID+"."+foreign, "shop")
	for _, text := range []string{".", "..", text, strings.Repeat("x", 1<<16), strings.Repeat(".", 1<<16), ticket + "." + ticket} {
		try(text, "shop")
	}
	if _, err := r.show(ticket, "shop"); err != nil {
		t.Errorf("the real one: %v", err)
	}
	return in
}

// TestForgedTickets: no byte of a ticket can be another one.
func TestForgedTickets(t *testing.T) {
	if in := forged(t, authz.KeysOptions{}); len(in) > 0 {
		t.Errorf("%d were let in, %q first", len(in), in[0])
	}
}

// TestForgedTicketsUnsealed is its twin.
func TestForgedTicketsUnsealed(t *testing.T) {
	if in := forged(t, authz.Sabotaged(authz.KeysOptions{}, "any ticket will do")); len(in) < 100 {
		t.Errorf("without the guard, %d were let in", len(in))
	}
}

// FuzzTicket: whatever a URL says is one clear error.
func FuzzTicket(f *testing.F) {
	r := newRig(f, authz.KeysOptions{})
	text, key := r.make(authz.Key{Role: authz.Evaluator})
	ticket := r.mustLogin(text).Ticket("shop")
	for _, seed := range []string{"", ".", "..", ticket, ticket[1:], key.ID + ".9999999999999999999.x", key.ID + ".-1.x", "\x00.\xff.\n"} {
		f.Add(seed, "shop")
	}
	f.Add(ticket, "")
	f.Fuzz(func(t *testing.T, shown, set string) {
		_, err := r.show(shown, set)
		if own := shown == ticket && set == "shop"; shown != "" && (err == nil) != own {
			t.Errorf("%q for %q: %v", shown, set, err)
		}
		if err != nil && !errors.Is(err, authz.ErrUnauthenticated) {
			t.Errorf("%v", err)
		}
	})
}

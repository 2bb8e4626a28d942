package authz

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
)

// CertRole gives a role to clients by the subject of their certificate.
type CertRole struct {
	Subject map[string]string // CN, O, OU, DNS or URI -> value; all must match
	Role    Role
	Sets    []string // empty: all
}

// subjectParts returns the values of a certificate that a part of a CertRole can match.
var subjectParts = map[string]func(*x509.Certificate) []string{
	"CN":  func(c *x509.Certificate) []string { return []string{c.Subject.CommonName} },
	"O":   func(c *x509.Certificate) []string { return c.Subject.Organization },
	"OU":  func(c *x509.Certificate) []string { return c.Subject.OrganizationalUnit },
	"DNS": func(c *x509.Certificate) []string { return c.DNSNames },
	"URI": func(c *x509.Certificate) (uris []string) {
		for _, u := range c.URIs {
			uris = append(uris, u.String())
		}
		return uris
	},
}

// ParseCertRole reads "CN=payments,role=evaluator,set=checkout": parts of the subject
// (CN, O, OU, DNS, URI) that must all match, a role, and the sets it is for, if not all.
// The error wraps flags.ErrInvalid.
func ParseCertRole(text string) (CertRole, error) {
	c := CertRole{Subject: map[string]string{}}
	fail := func(format string, a ...any) error {
		return fmt.Errorf("%w: %q: %s", flags.ErrInvalid, text, fmt.Sprintf(format, a...))
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		if name, value = strings.TrimSpace(name), strings.TrimSpace(value); value == "" {
			return CertRole{}, fail("%q: want NAME=VALUE", part)
		}
		switch {
		case name == "role":
			role, err := ParseRole(value)
			if err != nil || c.Role != "" {
				return CertRole{}, fail("want one role of %v", Roles())
			}
			c.Role = role
		case name == "set":
			if err := flags.CheckSetName(value); err != nil {
				return CertRole{}, fail("%v", err)
			}
			c.Sets = append(c.Sets, value)
		case subjectParts[name] == nil || c.Subject[name] != "":
			return CertRole{}, fail("%q: want each of CN, O, OU, DNS, URI, role at most once, and set", name)
		default:
			c.Subject[name] = value
		}
	}
	if c.Role == "" || len(c.Subject) == 0 {
		return CertRole{}, fail("want a part of the subject and a role, as in CN=payments,role=evaluator")
	}
	return c, nil
}

func (c *CertRole) matches(cert *x509.Certificate) bool {
	for name, value := range c.Subject {
		if !slices.Contains(subjectParts[name](cert), value) {
			return false
		}
	}
	return true
}

// certified is a CertRole with what it grants, the same for all requests.
type certified struct {
	CertRole
	grant *grant
}

func certify(roles []CertRole) []certified {
	out := make([]certified, 0, len(roles))
	for _, r := range roles {
		out = append(out, certified{r, &grant{role: r.Role, sets: slices.Sorted(slices.Values(r.Sets))}})
	}
	return out
}

// principalOf returns the principal of a certificate: with the role of the first entry
// that matches, the anonymous one where none does.
func principalOf(roles []certified, cert *x509.Certificate) Principal {
	for i := range roles {
		if roles[i].matches(cert) {
			return Principal{Kind: "cert", ID: cert.Subject.String(), Name: cert.Subject.CommonName, grant: roles[i].grant}
		}
	}
	return Principal{}
}

package remote

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"syscall"

	"github.com/holdfast-flags/holdfast/flags"
)

// ConnClass is the class of what kept a connection from being made or broke it.
func ConnClass(err error) flags.Class {
	for _, local := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.EADDRNOTAVAIL, syscall.ENOMEM} {
		if errors.Is(err, local) {
			// Out of something on this machine: another layer would fail alike, and
			// the other side is not to blame.
			return flags.ClassPermanent
		}
	}
	if badCertificate(err) {
		return flags.ClassPermanent
	}
	return flags.ClassTransient
}

// badCertificate reports whether err is a mistake in somebody's configuration
// of TLS. A certificate that has expired is not: that is the usual real outage,
// and it ends when the router gets a new one.
func badCertificate(err error) bool {
	var (
		authority x509.UnknownAuthorityError
		hostname  x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
		alert     tls.AlertError
	)
	const alertBadCertificate = 42 // RFC 8446, 6
	switch {
	case errors.As(err, &invalid):
		return invalid.Reason != x509.Expired
	case errors.As(err, &authority), errors.As(err, &hostname), errors.As(err, &record):
		return true
	case errors.As(err, &alert):
		return alert == alertBadCertificate
	default:
		return false
	}
}

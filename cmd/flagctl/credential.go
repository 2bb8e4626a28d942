package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/holdfast-flags/holdfast/internal/keyfile"
	"github.com/holdfast-flags/holdfast/store/grpcstore"
)

// credentials fills in what the command line says about key and certificate.
func (a *app) credentials(opts *grpcstore.Options) error {
	if a.keyFile != "" {
		key, err := keyfile.Key(a.keyFile)
		if err != nil {
			return usagef("--api-key-file: %v", err)
		}
		opts.APIKeyFrom = key
	}
	if strings.ContainsFunc(a.apiKey, func(r rune) bool { return r <= ' ' || r > '~' }) || len(a.apiKey) > 1024 {
		return &exitError{code: exitDenied, err: fmt.Errorf("--api-key: that is no API key"), hint: "a key is hf_ID_SECRET, as it was shown when it was made"}
	}
	config, err := a.tls()
	opts.TLSFrom = config
	return err
}

// tls returns what gives the configuration of each connection, nil where the command
// line says nothing of TLS.
func (a *app) tls() (func() *tls.Config, error) {
	if a.tlsCert+a.tlsKey+a.tlsCA+a.tlsName == "" {
		return nil, nil
	}
	current, err := keyfile.Client(a.tlsCert, a.tlsKey, a.tlsCA)
	if err != nil {
		return nil, usagef("--tls-cert, --tls-key, --tls-ca: %v", err)
	}
	return func() *tls.Config {
		config := current()
		config.ServerName = a.tlsName
		return config
	}, nil
}

// tlsHint says what to do where two ends do not agree about TLS; "" for other errors.
// What the other end says of a handshake arrives as text.
func tlsHint(err error) string {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "its certificate is of an authority that is not known here: name the authority's file with --tls-ca"
	case errors.As(err, &name):
		return "use a name that its certificate is for as --server, or name one with --tls-server-name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "renew the router's certificate, or set the clocks: the router reads the files of --tls-cert and --tls-key again by itself"
	}
	for _, known := range []struct{ text, hint string }{
		{"tls: certificate required", "the router wants a certificate: --tls-cert and --tls-key"},
		{"tls: unknown certificate authority", "use a certificate (--tls-cert) of an authority that the router's --tls-client-ca names"},
		{"tls: expired certificate", "renew the certificate of --tls-cert"},
		{"tls: bad certificate", "use a certificate (--tls-cert) for clients that the router's --tls-client-ca vouches for"},
		{"first record does not look like a TLS handshake", "this port is without TLS: leave out --tls-ca, --tls-cert, --tls-key and grpcs://"},
		{"error reading server preface: EOF", "does the router ask for TLS? name its authority's file with --tls-ca"},
		{plainToTLS, "the router asks for TLS: name its authority's file with --tls-ca"},
	} {
		if strings.Contains(err.Error(), known.text) {
			return known.hint
		}
	}
	return ""
}

// plainToTLS is what Go's servers answer to HTTP where they want TLS.
const plainToTLS = "Client sent an HTTP request to an HTTPS server"

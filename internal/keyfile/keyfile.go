// Package keyfile reads credentials from files, and again once the files have changed,
// so that keys and certificates are renewed without a restart.
package keyfile

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

// maxFile is the most that is read of a file.
const maxFile = 1 << 20

// file is a file as it was read last.
type file struct {
	path string

	mu   sync.Mutex
	seen time.Time // when it was last looked at
	info os.FileInfo
	data []byte
}

// lookEvery is how long a file is believed not to have changed.
const lookEvery = time.Second

// read returns what is in the file and whether that is new. While the file cannot be read,
// what was read last counts: it may be just being replaced.
func (f *file) read() (data []byte, fresh bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.data != nil && time.Since(f.seen) < lookEvery {
		return f.data, false, nil
	}
	info, err := os.Stat(f.path)
	if err == nil && info.Size() > maxFile {
		err = fmt.Errorf("%s has %d bytes, which is no credential", f.path, info.Size())
	}
	if err == nil && f.info != nil && os.SameFile(info, f.info) && info.ModTime().Equal(f.info.ModTime()) && info.Size() == f.info.Size() {
		f.seen = time.Now()
		return f.data, false, nil
	}
	if err == nil {
		data, err = os.ReadFile(f.path)
	}
	if err != nil || len(data) == 0 {
		if f.data != nil {
			return f.data, false, nil
		}
		if err == nil {
			err = fmt.Errorf("%s is empty", f.path)
		}
		return nil, false, err
	}
	f.seen, f.info, f.data = time.Now(), info, data
	return data, true, nil
}

// Key returns a func that returns the key in a file, the space around it left out. The
// error is that of the first reading.
func Key(path string) (func() string, error) {
	f := &file{path: path}
	key := func() string {
		data, _, _ := f.read() // has been read once, so that it cannot fail
		return strings.TrimSpace(string(data))
	}
	if _, _, err := f.read(); err != nil {
		return nil, err
	}
	if k := key(); k == "" || strings.ContainsFunc(k, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, fmt.Errorf("%s: want one key in one line of ASCII", path)
	}
	return key, nil
}

// pair is a certificate with its key, in two files.
type pair struct {
	cert, key file

	mu   sync.Mutex
	last *tls.Certificate
}

// load returns the certificate of the files. While they do not fit each other, which they
// may not for a moment while they are replaced, the last that did counts.
func (p *pair) load() (*tls.Certificate, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	cert, fresh, err := p.cert.read()
	if err != nil {
		return nil, err
	}
	key, freshKey, err := p.key.read()
	if err != nil {
		return nil, err
	}
	if p.last != nil && !fresh && !freshKey {
		return p.last, nil
	}
	loaded, err := tls.X509KeyPair(cert, key)
	if err != nil {
		if p.last != nil {
			return p.last, nil
		}
		return nil, fmt.Errorf("%s and %s: %w", p.cert.path, p.key.path, err)
	}
	p.last = &loaded
	return p.last, nil
}

// authorities are the certificates of authorities in a file.
type authorities struct {
	file file

	mu   sync.Mutex
	last *x509.CertPool
}

// load returns the authorities. While there is none in the file, the last ones count.
func (a *authorities) load() (*x509.CertPool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	pem, fresh, err := a.file.read()
	if err != nil {
		return nil, err
	}
	if !fresh && a.last != nil {
		return a.last, nil
	}
	pool := x509.NewCertPool()
	if pool.AppendCertsFromPEM(pem) {
		a.last = pool
	}
	if a.last == nil {
		return nil, fmt.Errorf("%s: no certificate in it", a.file.path)
	}
	return a.last, nil
}

// Client returns a func that returns the configuration for a connection to be made now:
// it shows the certificate in two PEM files and trusts the authorities in a third. cert and
// key, or ca, may be empty. The error is that of the first reading.
func Client(cert, key, ca string) (func() *tls.Config, error) {
	if (cert == "") != (key == "") {
		return nil, errors.New("a certificate and its key come together")
	}
	var p *pair
	if cert != "" {
		p = &pair{cert: file{path: cert}, key: file{path: key}}
		if _, err := p.load(); err != nil {
			return nil, err
		}
	}
	var roots *authorities
	if ca != "" {
		roots = &authorities{file: file{path: ca}}
		if _, err := roots.load(); err != nil {
			return nil, err
		}
	}
	return func() *tls.Config {
		config := &tls.Config{MinVersion: tls.VersionTLS12}
		if p != nil {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return p.load() }
		}
		if roots != nil {
			config.RootCAs, _ = roots.load() // has been read once, so that it cannot fail
		}
		return config
	}, nil
}

// Server returns the configuration of a server that shows the certificate in two PEM
// files and, where clientCA names a third, asks clients for certificates of the
// authorities in that, as strictly as clients says.
func Server(cert, key, clientCA string, clients tls.ClientAuthType) (*tls.Config, error) {
	p := &pair{cert: file{path: cert}, key: file{path: key}}
	if _, err := p.load(); err != nil {
		return nil, err
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return p.load() },
	}
	if clientCA == "" {
		return config, nil
	}
	roots := &authorities{file: file{path: clientCA}}
	pool, err := roots.load()
	if err != nil {
		return nil, err
	}
	config.ClientCAs, config.ClientAuth = pool, clients
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		current := config.Clone()
		current.ClientCAs, _ = roots.load() // has been read once
		return current, nil
	}
	return config, nil
}

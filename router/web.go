package router

import (
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/holdfast-flags/holdfast/router/cors"
)

// webHandler serves what is on the HTTP listener: the REST API, OFREP and the page.
func (r *Router) webHandler(on net.Listener, name string) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/", r.rest)
	mux.Handle("/ofrep/", cors.Handler(r.opts.CORSOrigins, r.ofrep))
	mux.Handle("/", r.page)
	return onlyLocalNames(mux, on, name)
}

// onlyLocalNames keeps pages of other sites out of a router that listens for this
// machine alone: by a name that its owner points at 127.0.0.1, a page in a browser
// here could read and write as if it were ours. Such a request says the name in
// its Host header. The name that the operator gave this machine's address is as good as localhost.
func onlyLocalNames(next http.Handler, on net.Listener, name string) http.Handler {
	if on == nil {
		return next
	}
	addr, ok := on.Addr().(*net.TCPAddr)
	if !ok || !addr.IP.IsLoopback() {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if !localName(req.Host, name) {
			http.Error(w, "this router listens for this machine only, by the names localhost, 127.0.0.1, [::1] and the one it is configured with", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, req)
	})
}

// localName reports whether a Host header names this machine, and nothing else
// could make it do so.
func localName(host, configured string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.TrimSuffix(host, ".")
	return strings.EqualFold(host, "localhost") || configured != "" && strings.EqualFold(host, strings.TrimSuffix(configured, "."))
}

// connsPerAddress is how many connections one address may have on the HTTP
// listener. A watch takes one, so it bounds those too.
const connsPerAddress = 2048

// limitPerAddress closes connections of an address over its limit as they come.
func limitPerAddress(l net.Listener, limit int) net.Listener {
	if l == nil {
		return nil
	}
	return &limitListener{Listener: l, limit: limit, open: map[string]int{}}
}

type limitListener struct {
	net.Listener
	limit int

	mu   sync.Mutex
	open map[string]int // by address without port
}

// Accept returns the next connection whose address is within its limit.
func (l *limitListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		tcp, ok := conn.RemoteAddr().(*net.TCPAddr)
		if !ok {
			return conn, nil // within this process
		}
		address := tcp.IP.String()
		if l.enter(address) {
			return &limitedConn{Conn: conn, leave: sync.OnceFunc(func() { l.exit(address) })}, nil
		}
		_ = conn.Close() // nothing was said on it
	}
}

func (l *limitListener) enter(address string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[address] >= l.limit {
		return false
	}
	l.open[address]++
	return true
}

func (l *limitListener) exit(address string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open[address]--; l.open[address] == 0 {
		delete(l.open, address)
	}
}

type limitedConn struct {
	net.Conn
	leave func()
}

// Close frees the connection's place.
func (c *limitedConn) Close() error {
	c.leave()
	return c.Conn.Close()
}

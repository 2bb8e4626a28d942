package router

import (
	"net"
	"net/http"
	"time"

	"github.com/holdfast-flags/holdfast/router/cors"
)

// evalServer serves flagd's evaluation protocols: on one port HTTP/1.1 and HTTP/2, the
// latter without TLS too, for gRPC.
func (r *Router) evalServer(on net.Listener, name string) *http.Server {
	handler := cors.Handler(r.opts.CORSOrigins, r.evalsvc)
	local := onlyLocalNames(handler, on, name)
	s := r.httpServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.ProtoMajor == 2 && req.TLS == nil { // no browser speaks that, and gRPC clients name as authority what they like
			handler.ServeHTTP(w, req)
			return
		}
		local.ServeHTTP(w, req)
	}))
	s.Protocols = new(http.Protocols)
	s.Protocols.SetHTTP1(true)
	s.Protocols.SetHTTP2(true)
	s.Protocols.SetUnencryptedHTTP2(true)
	s.HTTP2 = &http.HTTP2Config{
		MaxConcurrentStreams: 1024,
		// A peer that is gone without a word, or takes nothing, holds its connection no longer.
		SendPingTimeout: 20 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 20 * time.Second,
		MaxReceiveBufferPerConnection: 1 << 20, MaxReceiveBufferPerStream: 64 << 10,
	}
	if r.opts.TLS != nil {
		s.TLSConfig = speaking(r.opts.TLS, "h2", "http/1.1")
	}
	return s
}

package router

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/holdfast-flags/holdfast/router/authz"
)

// readyLimit bounds the question to the store behind /readyz.
const readyLimit = time.Second

// opsHandler serves what operators and orchestrators ask.
func (r *Router) opsHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]bool{"alive": true})
	})
	mux.HandleFunc("GET /readyz", r.ready)
	mux.Handle("GET /metrics", promhttp.HandlerFor(r.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second}))
	if r.opts.Profiling {
		const pattern = "GET /debug/pprof/"
		profile := http.NewServeMux()
		profile.HandleFunc(pattern, pprof.Index)
		profile.HandleFunc(pattern+"profile", pprof.Profile)
		profile.HandleFunc(pattern+"trace", pprof.Trace)
		profile.HandleFunc(pattern+"symbol", pprof.Symbol)
		mux.Handle(pattern, authz.Require(r.opts.Policy, pattern, profile))
	}
	return mux
}

// readiness is the answer of /readyz.
type readiness struct {
	Ready bool `json:"ready"`
	// AnswersFrom is the best layer that can answer now: store, memory or none.
	AnswersFrom string     `json:"answersFrom"`
	Store       string     `json:"store"`              // ok, or what is wrong with it
	Upstream    string     `json:"upstream,omitempty"` // of a relay: ok, or what is wrong with it
	Stopping    bool       `json:"stopping,omitempty"`
	Sets        []setReady `json:"sets"`
}

type setReady struct {
	Token      string  `json:"token"`
	AgeSeconds float64 `json:"ageSeconds"` // since the store last confirmed it
}

func (r *Router) ready(w http.ResponseWriter, req *http.Request) {
	ctx, cancel := context.WithTimeout(req.Context(), readyLimit)
	defer cancel()
	answer := readiness{AnswersFrom: "none", Store: "ok", Sets: []setReady{}}
	for _, set := range r.hub.Sets() {
		age := time.Since(set.AsOf()).Seconds()
		answer.Sets = append(answer.Sets, setReady{set.Head().Token().String(), age})
		answer.AnswersFrom = "memory"
	}
	if _, err := r.opts.Store.Sets(ctx); err != nil {
		answer.Store = err.Error()
	} else {
		answer.AnswersFrom = "store"
	}
	answer.Upstream = r.upstream()
	r.mu.Lock()
	answer.Stopping = r.stopping
	r.mu.Unlock()
	answer.Ready = answer.AnswersFrom != "none" && !answer.Stopping
	status := http.StatusOK
	if !answer.Ready {
		status = http.StatusServiceUnavailable
	}
	writeJSON(w, status, answer)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the client may be gone
}

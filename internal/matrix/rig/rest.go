package rig

import (
	"encoding/json"
	"net/http"
	"path"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/holdfast-flags/holdfast/internal/faultnet"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/restapi"
	"github.com/holdfast-flags/holdfast/store"
)

// methods are the resources of the REST API, by what the other protocol calls them.
var methods = map[string]string{"head": "Head", "snapshot": "Fetch", "watch": "Watch"}

// serveREST serves the router's REST API.
func (r *Router) serveREST() {
	listener := faultnet.NewPipes()
	r.hub = hub.New(r.Store, nil)
	api := restapi.New(restapi.Options{Store: r.Store, Hub: r.hub})
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if method := methods[path.Base(req.URL.Path)]; method != "" {
			if err := r.arrive(req.Context(), method); err != nil {
				answer(w, status.Code(err))
				return
			}
		}
		api.ServeHTTP(w, req)
	})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // ends with Close
	}()
	r.Link = faultnet.Wrap(listener.DialContext)
	r.tb.Cleanup(func() {
		_ = r.Link.Close() // nothing can be wrong with closing pipes
		_ = server.Close()
		<-done
		r.hub.Close()
		_ = r.Store.Close() // a store in memory has nothing to lose
	})
}

// answer writes what a code is over HTTP.
func answer(w http.ResponseWriter, code codes.Code) {
	p := restwire.FromError(store.ErrNotFound)
	if code != codes.NotFound {
		p = restwire.Plain(httpStatus(code), "as told")
	}
	w.Header().Set("Content-Type", restwire.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may have left
}

func httpStatus(code codes.Code) int {
	switch code {
	case codes.InvalidArgument, codes.OutOfRange:
		return http.StatusBadRequest
	case codes.FailedPrecondition:
		return http.StatusPreconditionFailed
	case codes.AlreadyExists:
		return http.StatusConflict
	case codes.PermissionDenied:
		return http.StatusForbidden
	case codes.Unauthenticated:
		return http.StatusUnauthorized
	case codes.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

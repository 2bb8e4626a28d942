package restapi

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
)

type handler = func(http.ResponseWriter, *http.Request) error

// routes are all there are. What they mean is in the package comment and in openapi.json.
func (s *Service) routes() {
	const set = "/api/v1/sets/{set}"
	s.resource("/api/v1/openapi.json", map[string]handler{"GET": s.openAPI})
	s.resource("/api/v1/clients", map[string]handler{"GET": s.clients})
	s.resource("/api/v1/sets", map[string]handler{"GET": s.sets})
	s.resource(set, map[string]handler{"GET": s.head, "PUT": s.createSet, "DELETE": s.deleteSet})
	s.resource(set+"/head", map[string]handler{"GET": s.head})
	s.resource(set+"/snapshot", map[string]handler{"GET": s.snapshot})
	s.resource(set+"/watch", map[string]handler{"GET": s.watch})
	s.resource(set+"/watch/{id}/applied", map[string]handler{"POST": s.applied})
	s.resource(set+"/history", map[string]handler{"GET": s.history})
	s.resource(set+"/export", map[string]handler{"GET": s.export})
	s.resource(set+"/import", map[string]handler{"POST": s.importFile})
	s.resource(set+"/rollback", map[string]handler{"POST": s.rollback})

	s.resource(set+"/flags", map[string]handler{"GET": s.listFlags})
	s.resource(set+"/flags/{key}", map[string]handler{
		"GET": s.getEntry(flagOf), "PUT": s.putEntry(flagOf, flagBody), "PATCH": s.patchFlag, "DELETE": s.deleteEntry(flagOf),
	})
	s.resource(set+"/evaluators", map[string]handler{"GET": s.listEntries(flags.KindEvaluator)})
	s.resource(set+"/evaluators/{name}", map[string]handler{
		"GET": s.getEntry(evaluatorOf), "PUT": s.putEntry(evaluatorOf, flags.Canonical), "DELETE": s.deleteEntry(evaluatorOf),
	})
	s.resource(set+"/overrides", map[string]handler{"GET": s.listEntries(flags.KindOverride)})
	s.resource(set+"/overrides/{entity}/{key}", map[string]handler{
		"GET": s.getEntry(overrideOf), "PUT": s.putEntry(overrideOf, flags.Canonical), "DELETE": s.deleteEntry(overrideOf),
	})
}

// Routes returns method and pattern of all there is, in the form of http.ServeMux.
func (s *Service) Routes() []string { return slices.Sorted(slices.Values(s.served)) }

// resource serves a path by method, and tells those who come with another which there are.
func (s *Service) resource(path string, methods map[string]handler) {
	for method, h := range methods {
		s.served = append(s.served, method+" "+path)
		s.handle(method+" "+path, h)
	}
	allowed := slices.Collect(maps.Keys(methods))
	if methods["GET"] != nil {
		allowed = append(allowed, "HEAD")
	}
	slices.Sort(allowed)
	allow := strings.Join(allowed, ", ")
	s.handle(path, func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Allow", allow)
		return problem(restwire.Plain(http.StatusMethodNotAllowed, r.Method+" is not for this resource; it takes "+allow))
	})
}

var crossOrigin = http.NewCrossOriginProtection()

// ownOrigin refuses what a page of another site has a browser write here: the request
// could come from this machine, and with a person's rights.
func ownOrigin(r *http.Request) error {
	if err := crossOrigin.Check(r); err != nil {
		return problem(restwire.Plain(http.StatusForbidden, "a page of another origin may not write: "+err.Error()))
	}
	return nil
}

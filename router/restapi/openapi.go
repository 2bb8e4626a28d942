package restapi

import (
	_ "embed" // of the document
	"net/http"
)

//go:embed openapi.json
var openAPIDocument []byte

// openAPI answers with what this API is, for tools. It says nothing of flags, so that
// everybody may have it.
func (s *Service) openAPI(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-cache")
	write(w, "application/json", http.StatusOK, openAPIDocument)
	return nil
}

package ofrep_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/router/evaluator"
	"github.com/holdfast-flags/holdfast/router/hub"
	"github.com/holdfast-flags/holdfast/router/ofrep"
	"github.com/holdfast-flags/holdfast/store/memstore"
)

// A provider of any language asks for one flag, and gets its value with the revision
// of the set that it is from.
func Example() {
	mem := memstore.New(nil)
	defer mem.Close()
	created, err := mem.Apply(context.Background(), flags.Commit{
		ID: flags.NewCommitID(), Set: "default", Op: flags.OpCreate,
		Changes: []flags.Mutation{{Key: flags.FlagKey("new-checkout"), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`)}},
	})
	if err != nil {
		panic(err)
	}
	h := hub.New(mem, nil)
	defer h.Close()
	eval := evaluator.New(evaluator.Options{Hub: h})
	defer eval.Close()
	service := ofrep.New(ofrep.Options{Evaluator: eval})

	body := strings.NewReader(`{"context":{"targetingKey":"tenant-42"}}`)
	w := httptest.NewRecorder()
	service.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/ofrep/v1/evaluate/flags/new-checkout", body))
	token := created.Head().Token().String() // its lineage is random
	fmt.Println(w.Code, strings.ReplaceAll(w.Body.String(), token, "TOKEN"))
	fmt.Println(w.Header().Get("Holdfast-Revision") == token)
	// Output:
	// 200 {"key":"new-checkout","value":true,"reason":"STATIC","variant":"on","metadata":{"holdfastRevision":"TOKEN"}}
	// true
}

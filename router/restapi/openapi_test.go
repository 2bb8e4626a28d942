package restapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/holdfast-flags/holdfast/router/restapi"
)

// contract is the OpenAPI document as the service serves it.
type contract struct {
	t        *testing.T
	compiler *jsonschema.Compiler
	paths    map[string]map[string]operation
	seen     map[string]bool // operations that have succeeded
}

type operation struct {
	Responses map[string]struct {
		Content map[string]struct{ Schema any }
	}
	RequestBody struct {
		Content map[string]struct{ Schema any }
	}
}

func readContract(t *testing.T, r *rig) *contract {
	t.Helper()
	body := r.want(200, r.get("/api/v1/openapi.json")).Body.Bytes()
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]operation
	}
	if err := json.Unmarshal(body, &doc); err != nil || doc.OpenAPI != "3.1.0" {
		t.Fatal(err, doc.OpenAPI)
	}
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource("http://router.test/openapi.json", parsed); err != nil {
		t.Fatal(err)
	}
	return &contract{t, c, doc.Paths, map[string]bool{}}
}

// valid checks JSON against the schema at a place of the document.
func (c *contract) valid(body []byte, steps ...string) error {
	for i := range steps {
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(steps[i], "~", "~0"), "/", "~1"), "{", "%7B"), "}", "%7D")
	}
	schema, err := c.compiler.Compile("http://router.test/openapi.json#/" + strings.Join(steps, "/"))
	if err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// holds checks a real answer against what the document says of it.
func (c *contract) holds(method, path, sent, media string, status int, header http.Header, body []byte) {
	c.t.Helper()
	op, ok := c.paths[path][strings.ToLower(method)]
	if !ok {
		c.t.Errorf("%s %s is not in the document", method, path)
		return
	}
	at := []string{"paths", path, strings.ToLower(method)}
	if status < 300 {
		c.seen[method+" "+path] = true
		if _, ok := op.RequestBody.Content[media]; sent != "" && !ok {
			c.t.Errorf("%s %s takes %s, which is not in the document", method, path, media)
		} else if strings.HasSuffix(media, "json") && sent != "" {
			if err := c.valid([]byte(sent), append(slices.Clone(at), "requestBody", "content", media, "schema")...); err != nil {
				c.t.Errorf("%s %s takes %s: %v", method, path, sent, err)
			}
		}
	}
	got, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	if status >= 400 {
		if err := c.valid(body, "components", "schemas", "Problem"); err != nil || got != "application/problem+json" {
			c.t.Errorf("%s %s: %d %s %s: %v", method, path, status, got, body, err)
		}
		return
	}
	code := map[int]string{200: "200", 201: "201", 304: "304"}[status]
	response, ok := op.Responses[code]
	if !ok {
		c.t.Errorf("%s %s: %d is not in the document", method, path, status)
		return
	}
	if _, ok := response.Content[got]; !ok && got != "" {
		c.t.Errorf("%s %s: %d with %s is not in the document", method, path, status, got)
	}
	if got == "application/json" {
		if err := c.valid(body, append(at, "responses", code, "content", got, "schema")...); err != nil {
			c.t.Errorf("%s %s: %d %s: %v", method, path, status, body, err)
		}
	}
}

// TestOpenAPI: each route is an operation of the document and each operation a route, and
// what is really asked and answered is what the document says.
func TestOpenAPI(t *testing.T) {
	r := newRig(t, restapi.Options{})
	c := readContract(t, r)
	var documented []string
	for path, methods := range c.paths {
		for method := range methods {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	slices.Sort(documented)
	if !slices.Equal(documented, r.Routes()) {
		t.Fatalf("documented are\n%s\nserved are\n%s", strings.Join(documented, "\n"), strings.Join(r.Routes(), "\n"))
	}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	const set, merge, yaml = "/api/v1/sets/{set}", "application/merge-patch+json", "application/yaml"
	file := `{"flags":{"a":` + on + `},"$evaluators":{"beta":{"==":[1,1]}},"metadata":{"team":"shop"}}`
	for _, x := range []struct{ method, path, query, body, media string }{
		{"PUT", set, "", "", ""}, {"PUT", set, "", "", ""}, {"GET", set, "", "", ""}, {"GET", set + "/head", "", "", ""},
		{"POST", set + "/import", "?dry-run", file, jsonType}, {"POST", set + "/import", "", file, jsonType}, {"POST", set + "/import", "", "flags: {}", yaml},
		{"POST", set + "/import", "", `{"flags":{"a":{}}}`, jsonType}, {"GET", set + "/flags", "", "", ""},
		{"PUT", set + "/flags/{key}", "?reason=because", on, jsonType}, {"PUT", set + "/flags/{key}", "", on, jsonType}, {"PUT", set + "/flags/{key}", "", `{"a":1}`, jsonType},
		{"PATCH", set + "/flags/{key}", "", `{"state":"DISABLED"}`, merge}, {"PATCH", set + "/flags/{key}", "?dry-run", `{"state":null}`, jsonType},
		{"GET", set + "/flags/{key}", "", "", ""},
		{"PUT", set + "/evaluators/{name}", "", `{"in":["a",{"var":"b"}]}`, jsonType}, {"GET", set + "/evaluators/{name}", "", "", ""}, {"GET", set + "/evaluators", "", "", ""},
		{"PUT", set + "/overrides/{entity}/{key}", "", `{"variant":"on"}`, jsonType}, {"GET", set + "/overrides/{entity}/{key}", "", "", ""}, {"GET", set + "/overrides", "?limit=1", "", ""},
		{"GET", set + "/snapshot", "", "", ""}, {"GET", set + "/snapshot", "?after=1", "", ""}, {"GET", set + "/snapshot", "?after=99", "", ""},
		{"GET", set + "/snapshot", "?revision=2", "", ""}, {"GET", set + "/snapshot", "?revision=99", "", ""}, {"GET", set + "/export", "?revision=2&format=yaml", "", ""},
		{"GET", set + "/history", "?limit=1", "", ""}, {"GET", set + "/history", "?key=key", "", ""}, {"GET", set + "/history", "?limit=x", "", ""},
		{"GET", set + "/export", "", "", ""}, {"GET", set + "/export", "?format=yaml", "", ""},
		{"DELETE", set + "/overrides/{entity}/{key}", "", "", ""}, {"DELETE", set + "/overrides/{entity}/{key}", "", "", ""},
		{"DELETE", set + "/evaluators/{name}", "", "", ""}, {"DELETE", set + "/flags/{key}", "", "", ""},
		{"POST", set + "/rollback", "", `{"revision":"2","flags":["a"]}`, jsonType}, {"POST", set + "/rollback", "", `{"revision":"99"}`, jsonType},
		{"GET", "/api/v1/sets", "", "", ""}, {"GET", "/api/v1/openapi.json", "", "", ""},
	} {
		status, header, body := ask(t, server, x.method, filled(x.path)+x.query, x.body, x.media)
		c.holds(x.method, x.path, x.body, x.media, status, header, body)
	}
	followed(t, server, c)
	status, header, body := ask(t, server, "DELETE", filled(set), "", "")
	c.holds("DELETE", set, "", "", status, header, body)
	for _, route := range documented {
		if !c.seen[route] {
			t.Errorf("%s has not been asked with success", route)
		}
	}
}

// followed checks what can be asked while somebody follows the set.
func followed(t *testing.T, server *httptest.Server, c *contract) {
	const watch = "/api/v1/sets/{set}/watch"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+filled(watch), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	c.holds("GET", watch, "", "", answer.StatusCode, answer.Header, nil)
	head := make([]byte, 1)
	if _, err := io.ReadFull(answer.Body, head); err != nil { // it follows
		t.Fatal(err)
	}
	status, header, body := ask(t, server, "GET", "/api/v1/clients", "", "")
	c.holds("GET", "/api/v1/clients", "", "", status, header, body)
	if !bytes.Contains(body, []byte(`"set":"set"`)) {
		t.Errorf("clients: %s", body)
	}
	report := `{"layers":{"cache":"closed"}}`
	path := strings.Replace(filled(watch), "{id}", "", 1) + "/" + answer.Header.Get("Holdfast-Watch") + "/applied"
	status, header, body = ask(t, server, "POST", path, report, jsonType)
	c.holds("POST", watch+"/{id}/applied", report, jsonType, status, header, body)
}

// filled is a path with each of its names standing for itself.
func filled(path string) string { return strings.NewReplacer("{", "", "}", "").Replace(path) }

func ask(t *testing.T, server *httptest.Server, method, path, body, media string) (int, http.Header, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	answer, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, answer.Header, data
}

// TestOpenAPICatches is the twin of TestOpenAPI: an answer of another form is found.
func TestOpenAPICatches(t *testing.T) {
	c := readContract(t, newRig(t, restapi.Options{}))
	at := func() []string { return []string{"components", "schemas", "Written"} }
	good := `{"token":"shop@0.1~abcdefgh","changed":1}`
	if err := c.valid([]byte(good), at()...); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{`{}`, `{"token":"shop","changed":1}`, `{"token":"shop@0.1","changed":"1"}`, `{"token":"shop@0.1","changed":1,"more":1}`} {
		if c.valid([]byte(bad), at()...) == nil {
			t.Errorf("%s passes", bad)
		}
	}
}

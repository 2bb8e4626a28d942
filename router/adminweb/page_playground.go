package adminweb

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// playgroundPage answers for a context that somebody types.
type playgroundPage struct {
	screen
	Form   *form
	Key    string
	Asked  bool
	Answer resolved
	Steps  []step
	Curl   string
	Ctl    string
	Keys   []string
}

// mostOffered bounds the keys offered while one is typed.
const mostOffered = 500

func (v *visit) playground() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	_, c, err := v.openThen(ctx)
	if err != nil {
		return err
	}
	f := newForm("", v.query)
	p := playgroundPage{screen: v.screen("Playground", "playground").at(c.Head()), Form: f, Key: strings.TrimSpace(f.Value("key"))}
	for _, r := range c.rows[:min(len(c.rows), mostOffered)] {
		p.Keys = append(p.Keys, r.Key)
	}
	ec := f.evaluationContext("")
	if p.Key != "" {
		if _, ok := c.row(p.Key); !ok {
			f.refuse("key", "There is no flag %q in this set.", short(p.Key))
		}
	}
	if p.Asked = p.Key != "" && !f.Refused(); p.Asked {
		p.Answer, p.Steps = c.resolve(p.Key, ec), c.path(p.Key, ec)
		text := string(ec.Value().AppendJSON(nil))
		p.Curl, p.Ctl = v.asCurl(p.Key, text), "flagctl --set "+shell(v.set)+" eval "+shell(p.Key)+" --explain --context "+shell(text)
	}
	status := http.StatusOK
	if f.Refused() {
		status = f.status()
	}
	v.render(status, "playground", p)
	return nil
}

// asCurl returns the command that asks the same of the router by OFREP.
func (v *visit) asCurl(key, context string) string {
	body, err := json.Marshal(map[string]json.RawMessage{"context": json.RawMessage(context)})
	if err != nil {
		return ""
	}
	scheme := "http"
	if v.r.TLS != nil {
		scheme = "https"
	}
	header := ""
	if v.opts.Login {
		header = ` -H "Authorization: Bearer $HOLDFAST_API_KEY"`
	}
	return "curl -s " + shell(scheme+"://"+v.r.Host+"/ofrep/v1/evaluate/flags/"+url.PathEscape(key)) + header +
		" -H 'Content-Type: application/json' -H " + shell("Flagd-Selector: flagSetId="+v.set) + " -d " + shell(string(body))
}

// shell quotes a word for a shell of Unix.
func shell(word string) string {
	plain := word != ""
	for _, r := range word {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=", r) {
			plain = false
		}
	}
	if plain {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

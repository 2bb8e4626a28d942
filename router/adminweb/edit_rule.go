package adminweb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/expression"
)

// editRule replaces the targeting of a flag, or takes it away.
func (v *visit) editRule(f *form, key string) (string, error) {
	rule := f.targeting()
	return v.editDefinition(f, key, func(d flags.Definition) flags.Definition {
		d, err := d.WithTargeting(rule)
		if err != nil {
			f.refuse("rule", "%s", faultText(err))
		}
		return d
	}, at("rule"))
}

// targeting reads the field of a rule: in the language for people, or as JSON.
func (f *form) targeting() []byte {
	text := strings.TrimSpace(strings.ReplaceAll(f.Value("rule"), "\r\n", "\n"))
	if f.Value("as") == "json" {
		return f.json("rule", text)
	}
	t, err := expression.ParseTargeting(text)
	var rule []byte
	if err == nil {
		rule, err = t.Compile()
	}
	if err != nil {
		f.refuse("rule", "%s", expressionFault(err))
	}
	return rule
}

// segment reads the field of a shared rule.
func (f *form) segment() []byte {
	text := strings.TrimSpace(strings.ReplaceAll(f.Value("rule"), "\r\n", "\n"))
	if text == "" {
		f.refuse("rule", "This may not be empty: say who is in the segment.")
		return nil
	}
	if f.Value("as") == "json" {
		return f.json("rule", text)
	}
	rule, err := expression.CompileSegment(text)
	if err != nil {
		f.refuse("rule", "%s", expressionFault(err))
	}
	return rule
}

// expressionFault points at what is wrong with an expression.
func expressionFault(err error) string {
	var fault *expression.Error
	if !errors.As(err, &fault) {
		return err.Error()
	}
	text := fmt.Sprintf("Line %d, column %d: %s\n%s", fault.Line, fault.Column, fault.Message, fault.Caret())
	if fault.Hint != "" {
		text += "\n" + fault.Hint
	}
	return text
}

// json reads a text that is JSON, or empty.
func (f *form) json(field, text string) []byte {
	if text == "" {
		return nil
	}
	data, err := flags.Canonical([]byte(text))
	if err != nil {
		f.refuse(field, "%s", faultText(err))
	}
	return data
}

// checked is what is said of a rule while it is typed.
type checked struct {
	Problem string `json:"problem,omitempty"`
	Note    string `json:"note,omitempty"`
}

// check says what is wrong with the rule of a form, as saving would, and saves nothing.
func (v *visit) check() error {
	ctx, cancel := context.WithTimeout(v.ctx, limit)
	defer cancel()
	_, c, err := v.open(ctx)
	if err != nil {
		return err
	}
	f := newForm("check", v.r.PostForm)
	m := flags.Mutation{}
	if key := v.query.Get("key"); key != "" {
		m, err = f.ruleOf(c, key)
		if err != nil {
			return err
		}
	} else {
		m = flags.Mutation{Key: segmentKey(cmpName(f.Value("segment"))), Bytes: f.segment()}
	}
	if !f.Refused() && m.Bytes != nil {
		f.checkChange(c, m)
	}
	answer := checked{Problem: f.Problem("rule"), Note: "This can be saved."}
	body, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.send(http.StatusOK, body)
	return nil
}

// cmpName is the name that a segment is checked by before it has one.
func cmpName(name string) string {
	if name == "" {
		return "new"
	}
	return name
}

// ruleOf returns the flag as it would be with the rule of the form.
func (f *form) ruleOf(c *catalog, key string) (flags.Mutation, error) {
	m := flags.Mutation{Key: flags.FlagKey(key)}
	e, ok := c.Get(m.Key)
	if !ok {
		return m, fail(http.StatusNotFound, "No such flag", "There is no flag %q.", key)
	}
	d, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		return m, err
	}
	rule := f.targeting()
	if f.Refused() {
		return m, nil
	}
	if d, err = d.WithTargeting(rule); err != nil {
		f.refuse("rule", "%s", faultText(err))
	}
	m.Bytes = d.Bytes()
	return m, nil
}

// checkChange notes what a store would refuse a change for.
func (f *form) checkChange(c *catalog, m flags.Mutation) {
	err := flags.ContentsOf(c.Checkpoint()).CheckChanges(flags.OpChange, []flags.Mutation{m})
	var invalid *flags.ValidationError
	if errors.As(err, &invalid) {
		for _, fault := range invalid.Faults {
			f.refuse("rule", "%s", reason(fault))
		}
	}
}

// ruleText returns a rule as people edit it: in their language where it can be
// written in it, else as JSON.
func ruleText(rule []byte, asJSON bool) (text, as string) {
	if !asJSON {
		if t, ok := expression.ShowTargeting(rule); ok {
			return t.String(), "expression"
		}
	}
	return indent(rule), "json"
}

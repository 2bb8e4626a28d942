package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/holdfast-flags/holdfast/router/webhook"
)

// splitWebhook takes URL#FILE apart. The error does not repeat the URL, which may hold
// what is not for everybody.
func splitWebhook(text string) (url, file string, err error) {
	at := strings.LastIndexByte(text, '#')
	if at < 0 || at == len(text)-1 {
		return "", "", errors.New("--webhook: want URL#FILE, the file with what deliveries are signed with")
	}
	if _, err := webhook.CheckURL(text[:at]); err != nil {
		return "", "", fmt.Errorf("--webhook: %w", err)
	}
	return text[:at], text[at+1:], nil
}

// openWebhooks reads the files and asks nobody anything.
func openWebhooks(c *config, st *opened) ([]*webhook.Hook, error) {
	var hooks []*webhook.Hook
	seen := map[string]bool{}
	for _, text := range c.webhooks {
		url, file, err := splitWebhook(text)
		if err != nil {
			return nil, &configError{err}
		}
		if seen[url] {
			return nil, &configError{errors.New("--webhook: one address is said twice")}
		}
		seen[url] = true
		lines, err := os.ReadFile(file)
		if err != nil {
			return nil, &configError{fmt.Errorf("--webhook: %w", err)}
		}
		h, err := webhook.New(webhook.Options{URL: url, Secrets: bytes.Fields(lines), Records: st.records, Journal: st, Alone: st.kind != "mongodb"})
		if err != nil {
			return nil, &configError{fmt.Errorf("--webhook, file %s: %w", file, err)}
		}
		hooks = append(hooks, h)
	}
	return hooks, nil
}

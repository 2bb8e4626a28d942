package rediscache_test

import (
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
)

func TestOpen(t *testing.T) {
	for url, want := range map[string]string{ // the address, and the entry's key
		"redis://cache":                                  "cache:6379 holdfast:v1:{shop}:entry",
		"redis://cache:1/3?prefix=p":                     "cache:1 p:v1:{shop}:entry",
		"rediss://u:pw@[::1]:7/?timeout=50ms&prefix=a:b": "[::1]:7 a:b:v1:{shop}:entry",
	} {
		c := open(t, url, nil)
		if got := c.Client().Options().Addr + " " + c.Keys("shop")[0]; got != want {
			t.Errorf("%s: %s, want %s", url, got, want)
		}
		if secure := c.Client().Options().TLSConfig != nil; secure != strings.HasPrefix(url, "rediss:") {
			t.Errorf("%s: TLS is %t", url, secure)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for url, want := range map[string]string{
		"":                                          "want redis://",
		"memory:":                                   "want redis://",
		"redis:///0":                                "want redis://",
		"redis://u:hunter2@cache:port":              "malformed URL",
		"redis://u:hunter2@cache/first":             `database "first"`,
		"redis://u:hunter2@cache/-1":                `database "-1"`,
		"redis://u:hunter2@cache?ttl=3":             `unknown parameter "ttl"`,
		"redis://u:hunter2@cache?timeout=0":         `timeout "0"`,
		"redis://u:hunter2@cache?prefix=a{b}":       "prefix",
		"redis://u:hunter2@cache?prefix=a;b":        "semicolon",
		"redis://u:hunter2@cache?prefix=a&prefix=b": "given 2 times",
		"redis://u:hunter2@cache/\x00":              "malformed URL",
	} {
		c, err := rediscache.Open(url, nil)
		if c != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", url, err, want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error repeats the password, or takes more than a line: %v", url, err)
		}
	}
}

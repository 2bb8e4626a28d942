package redact_test

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/holdfast-flags/holdfast/internal/redact"
)

func ExampleURL() {
	fmt.Println(redact.URL("mongodb://ana:secret@db-1,db-2:27017/flags?authSource=admin"))
	// Output: mongodb://db-1,db-2:27017/flags
}

func ExampleError() {
	address := os.ExpandEnv("redis://:secret%zz@cache") // as a configuration has it
	_, err := url.Parse(address)
	fmt.Println(redact.Error(err, address))
	// Output: invalid URL escape "..."
}

func TestURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "",
		"mongodb://h1/db":                 "mongodb://h1/db",
		"mongodb://u:p@ss/w@h1:1,h2:2/db": "mongodb://h1:1,h2:2/db",
		"redis://:pw@cache:6379/0?k=v":    "redis://cache:6379/0",
		"redis://:p?w@cache":              "redis://...",
		"redis://cache?user=a@b":          "redis://...",
		"redis://user:pw":                 "redis://user:...",
		"redis://user:pw/x":               "redis://user:...",
		"redis://[::1]:6379/0":            "redis://[::1]:6379/0",
		"redis://[::1]":                   "redis://[::1]",
		"rest+https://router:8016/base#x": "rest+https://router:8016/base",
		"mongodb:u:pw@db/x":               "db/x",
		"u:pw":                            "u:...",
		"router:8015":                     "router:8015",
		"postgres":                        "postgres",
		"bolt:dir/a@b?c.db":               "bolt:dir/a@b?c.db",
		"file:flags.json":                 "file:flags.json",
		"memory:?max-entries=1":           "memory:?max-entries=1",
	} {
		if got := redact.URL(in); got != want {
			t.Errorf("URL(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzURL: whatever a password looks like, neither the URL nor an error that quotes it
// or pieces of it has it.
func FuzzURL(f *testing.F) {
	for _, password := range []string{"hunter2", "p@ss", "a?b", "a/b", "%zz", "a:b", "#", "a&b=c", "[x]", "a,b", "\x00"} {
		f.Add("mongodb", password)
		f.Add("redis", password)
	}
	f.Fuzz(func(t *testing.T, scheme, password string) {
		const mark = "k3y"
		if strings.Contains(scheme, mark) || strings.ContainsAny(scheme, ":/@?#") || scheme == "file" || scheme == "bolt" || scheme == "memory" {
			return
		}
		raw := scheme + "://user:" + mark + password + mark + "@host:1/db"
		if got := redact.URL(raw); strings.Contains(got, mark) {
			t.Errorf("URL(%q) = %q", raw, got)
		}
		for _, err := range []error{errors.New("bad: " + raw), fmt.Errorf("bad password %q", mark+password+mark), parsed(raw)} {
			if err == nil {
				continue
			}
			if got := redact.Error(err, raw).Error(); strings.Contains(got, mark+password+mark) {
				t.Errorf("Error(%q) = %q", err, got)
			}
		}
	})
}

func parsed(raw string) error {
	_, err := url.Parse(raw)
	return err
}

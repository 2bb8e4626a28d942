package main

import (
	"bytes"
	"strings"
	"testing"
)

func nobody(string) string { return "" }

// TestBadConfig: one clear line about the option that is wrong, and exit code 2.
func TestBadConfig(t *testing.T) {
	nothing := writeFile(t, "cert.pem", "nothing")
	file := func(text string) string { return "--config=" + writeFile(t, "router.yaml", text) }
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--no-such-option"}, "no-such-option"},
		{[]string{"serve"}, `unexpected argument "serve"`},
		{[]string{"--stor", "memory:"}, "unknown flag: --stor; did you mean --store?"},
		{[]string{"--carrier-pigeon"}, "unknown flag: --carrier-pigeon; see flagrouter --help"},
		{[]string{"--insecure=perhaps"}, `--insecure "perhaps": want true or false`},
		{[]string{"--ofrep-rate", "many"}, `--ofrep-rate "many": want a number`},
		{[]string{"--store", "sqlite:x"}, "sqlite"},
		{[]string{"--store", "bolt:"}, "names no file"},
		{[]string{"--store", "memory:x"}, "memory:"},
		{[]string{"--store", "grpc://router"}, "grpc://HOST:PORT"},
		{[]string{"--store", "grpc://user:secret@router:8015"}, "grpc://HOST:PORT"},
		{[]string{"--store", "grpc://router:8015", "--seed", "flags.json"}, "--seed"},
		{[]string{"--store", "grpc://router:8015", "--store-api-key-file", "nowhere"}, "nowhere"},
		{[]string{"--store", "grpcs://router:8015", "--store-cert", "nowhere"}, "come together"},
		{[]string{"--store", "memory:", "--store-ca", "ca.pem"}, "--store-ca"},
		{[]string{"--store", "mysql://user:secret@db/x"}, "mysql://db/x"},
		{[]string{"--mirror", "bolt:x"}, "--mirror"},
		{[]string{"--mirror", "postgres://user:secret@db"}, "postgres://db"},
		{[]string{"--mirror", "mongodb://a:secret@db/x", "--mirror", "mongodb://b:secret@db/x"}, "mongodb://db/x twice"},
		{[]string{"--cache", "memcached://user:secret@cache"}, "memcached://cache"},
		{[]string{"--auth", "ldap"}, "want off or keys"},
		{[]string{"--public-read", "shop"}, "need --auth keys"},
		{[]string{"--auth", "keys", "--public-read", "no set"}, "--public-read"},
		{[]string{"--auth", "keys", "--cert-role", "CN=x,role=reader"}, "--tls-client-ca"},
		{[]string{"--auth", "keys", "--tls-cert", "x", "--tls-key", "x", "--tls-client-ca", "x", "--cert-role", "role=reader"}, "part of the subject"},
		{[]string{"--grpc-addr", "8015"}, "HOST:PORT"},
		{[]string{"--grpc-addr", "0.0.0.0:8015"}, "--insecure"},
		{[]string{"--http-addr", ":8016"}, "--insecure"},
		{[]string{"--ops-addr", "[::]:8014"}, "--insecure"},
		{[]string{"--http-addr", "192.0.2.1:8016"}, "--insecure"},
		{[]string{"--http-addr", "[2001:db8::1]:8016"}, "--insecure"},
		{[]string{"--http-addr", "router.example.com:8016"}, "--insecure"},
		{[]string{"--http-addr", "127.0.0.1:70000"}, "65535"},
		{[]string{"--http-addr", "127.0.0.1:"}, "65535"},
		{[]string{"--store", "mongodb:user:secret@db/x"}, "want mongodb://"},
		{[]string{"--mirror", "user:secret@db/x"}, `"db/x"`},
		{[]string{"--cache", "redis:user:secret@cache"}, "want redis://"},
		{[]string{"--cache", "redis://user:secret@cache:port"}, "--cache redis://cache:..."},
		{[]string{"--cache", "redis://user:se%cret@cache"}, "--cache redis://cache"},
		{[]string{"--store", "mongodb://user:secret@:x:y:/db"}, "--store mongodb://"},
		{[]string{"--mirror", "mongodb://user:se%zcret@db/x"}, "--mirror mongodb://"},
		{[]string{"--tls-cert", "x"}, "--tls-key"},
		{[]string{"--tls-cert", nothing, "--tls-key", nothing}, "--tls-cert " + nothing},
		{[]string{"--tls-client-ca", "x"}, "--tls-cert"},
		{[]string{"--log-format", "xml"}, "text or json"},
		{[]string{"--cors-origin", "https://app.example", "--cors-origin", "app.example"}, "scheme://host"},
		{[]string{"--ofrep-rate", "-1"}, "--ofrep-rate"},
		{[]string{"--webhook", "https://example.com/secret"}, "want URL#FILE"},
		{[]string{"--webhook", "https://user:secret@example.com/#x"}, "no user and password"},
		{[]string{"--webhook", "ftp://example.com/secret#x"}, "want http://"},
		{[]string{"--ofrep-rate", "NaN"}, "--ofrep-rate"},
		{[]string{"--log-level", "loud"}, "loud"},
		{[]string{"--log-level", "info+3"}, "info+3"},
		{[]string{"--eval-addr", "0.0.0.0:8013"}, "--insecure"},
		{[]string{"--context", "plan"}, `--context "plan": want KEY=VALUE`},
		{[]string{"--context", "a=1", "--context", "a=2"}, "--context says a twice"},
		{[]string{"--context-from-header", "X-Plan="}, `--context-from-header "X-Plan=": want HEADER=KEY`},
		{[]string{"--context-from-header", "X-Plan=plan", "--context-from-header", "x-plan=p"}, "--context-from-header says X-Plan twice"},
		{[]string{"--context-from-header", "X-Plan=plan", "--context-from-header", "X-Tier=plan"}, "X-Plan and X-Tier cannot both be plan"},
		{[]string{"--config", "nowhere.yaml"}, "nowhere.yaml"},
		{[]string{file("stroe: memory\n")}, `router.yaml:1: unknown option "stroe"; did you mean store?`},
		{[]string{file("- store\n")}, "mapping"},
		{[]string{file("store: [unclosed\n")}, "router.yaml"},
		{[]string{file("store: memory\nlog-level: info\nstore: memory\n")}, "router.yaml"},
		{[]string{file("insecure: perhaps\n")}, "perhaps"},
		{[]string{file("store: {kind: bolt}\n")}, "want a value"},
		{[]string{file("store: [memory, bolt:x]\n")}, "want a value"},
		{[]string{file("config: other.yaml\n")}, "unknown option"},
		{[]string{file("version: true\n")}, "unknown option"},
	} {
		var out, errs bytes.Buffer
		args := append([]string{"--grpc-addr=127.0.0.1:0", "--eval-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--ops-addr=127.0.0.1:0"}, c.args...)
		code := run(t.Context(), args, stdio{env: nobody, out: &out, err: &errs})
		line := errs.String()
		if code != exitUsage || strings.Count(line, "\n") != 1 || !strings.HasPrefix(line, "flagrouter: ") || !strings.Contains(line, c.want) {
			t.Errorf("%v: exit code %d, %q; want %q", c.args, code, line, c.want)
		}
		if strings.Contains(line, "secret") || out.Len() > 0 {
			t.Errorf("%v: told %q and %q", c.args, line, out.String())
		}
	}
}

// TestPrecedence: a flag wins over a variable, a variable over the file, the file
// over the default.
func TestPrecedence(t *testing.T) {
	path := writeFile(t, "router.yaml", `
store: memory
grpc-addr: 127.0.0.1:1
http-addr: 127.0.0.1:1
ops-addr: 127.0.0.1:1
mirror:
  - mongodb://a/x
  - mongodb://b/x
insecure: true
`)
	env := map[string]string{
		"FLAGROUTER_CONFIG": path, "FLAGROUTER_GRPC_ADDR": "127.0.0.1:2", "FLAGROUTER_HTTP_ADDR": "127.0.0.1:2",
	}
	c, err := parse([]string{"--grpc-addr=127.0.0.1:3"}, func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	if c.grpcAddr != "127.0.0.1:3" || c.httpAddr != "127.0.0.1:2" || c.opsAddr != "127.0.0.1:1" || c.store != "memory" || !c.insecure {
		t.Errorf("got %+v", c)
	}
	if strings.Join(c.mirrors, " ") != "mongodb://a/x mongodb://b/x" {
		t.Errorf("mirrors are %v", c.mirrors)
	}
	env["FLAGROUTER_MIRROR"] = "mongodb://c/x mongodb://d/x"
	c, err = parse(nil, func(name string) string { return env[name] })
	if err != nil || strings.Join(c.mirrors, " ") != "mongodb://c/x mongodb://d/x" {
		t.Errorf("mirrors are %v, %v", c, err)
	}
	env["FLAGROUTER_INSECURE"] = "perhaps"
	if _, err := parse(nil, func(name string) string { return env[name] }); err == nil || !strings.Contains(err.Error(), "FLAGROUTER_INSECURE") {
		t.Errorf("a bad variable: %v", err)
	}
}

// TestVersion: it is printed whatever else is wrong, and no variable asks for it.
func TestVersion(t *testing.T) {
	var out, errs bytes.Buffer
	env := func(name string) string { return map[string]string{"FLAGROUTER_INSECURE": "perhaps"}[name] }
	if code := run(t.Context(), []string{"--version"}, stdio{env: env, out: &out, err: &errs}); code != exitOK || !strings.HasPrefix(out.String(), "flagrouter ") || errs.Len() > 0 {
		t.Errorf("exit code %d, %q, %q", code, out.String(), errs.String())
	}
	env = func(name string) string { return map[string]string{"FLAGROUTER_VERSION": "1.2.3"}[name] }
	if c, err := parse(nil, env); err != nil || c.printVersion {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestHelp(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"--help"}, stdio{env: nobody, out: &out, err: &errs}); code != exitOK || errs.Len() > 0 {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
	for _, want := range []string{"Examples:", "--store", "--mirror", "--cache", "--seed", "--config", "FLAGROUTER_"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("help lacks %s", want)
		}
	}
}

// TestContextOfTheEnvironment: values of --context may have spaces in a variable, too.
func TestContextOfTheEnvironment(t *testing.T) {
	for said, want := range map[string]string{
		"region=akl":                           "region=akl",
		"region=akl plan=pro":                  "region=akl|plan=pro",
		"region=New Zealand":                   "region=New Zealand",
		" region=New Zealand ":                 "region=New Zealand",
		"region=New Zealand\nplan=pro\n":       "region=New Zealand|plan=pro",
		"region=New Zealand\r\n\n plan=a=b c ": "region=New Zealand|plan=a=b c",
		"query=a b=c\n":                        "query=a b=c",
	} {
		c, err := parse([]string{"--store=memory:"}, func(name string) string { return map[string]string{"FLAGROUTER_CONTEXT": said}[name] })
		if err != nil || strings.Join(c.context, "|") != want {
			t.Errorf("%q is %q, %v; want %q", said, c.context, err, want)
		}
	}
	_, err := parse([]string{"--store=memory:"}, func(name string) string {
		return map[string]string{"FLAGROUTER_CONTEXT": "region=New Zealand plan=pro"}[name]
	})
	if want := "FLAGROUTER_CONTEXT: a value has spaces: put each KEY=VALUE on a line of its own"; err == nil || err.Error() != want {
		t.Errorf("what could mean either: %v, want %s", err, want)
	}
}

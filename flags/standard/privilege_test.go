package standard_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/holdfast-flags/holdfast/cachestrategy"
	"github.com/holdfast-flags/holdfast/cachestrategy/rediscache"
	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/flags/standard"
	"github.com/holdfast-flags/holdfast/internal/testenv"
	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// restricted starts a Redis with the users of docs/security.md.
func restricted(t *testing.T) (addr string, admin *redis.Client) {
	t.Helper()
	addr = testenv.StartRedis(t).Addr()
	admin = redis.NewClient(&redis.Options{Addr: addr, DisableIdentity: true})
	t.Cleanup(func() { _ = admin.Close() })
	for _, user := range []string{"holdfast-sdk", "holdfast-router"} {
		if err := admin.Do(t.Context(), documented(t, user)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	return addr, admin
}

// documented returns the command that docs/security.md tells operators to give for a
// user, with the password "secret".
func documented(t *testing.T, user string) (command []any) {
	t.Helper()
	text, err := os.ReadFile("../../docs/security.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(strings.ReplaceAll(line, ">PASSWORD", ">secret")); len(words) > 2 && words[0] == "ACL" && words[2] == user {
			for _, word := range words {
				command = append(command, word)
			}
			return command
		}
	}
	t.Fatalf("docs/security.md has no ACL of %s", user)
	return nil
}

// denials returns how often the server had to refuse somebody something.
func denials(t *testing.T, admin *redis.Client) int {
	t.Helper()
	log, err := admin.ACLLog(t.Context(), 100).Result()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, l := range log {
		n += int(l.Count)
	}
	return n
}

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// putsOf waits until the client has put its set so many times.
func putsOf(puts <-chan error, n int, t *testing.T) {
	t.Helper()
	for range n {
		select {
		case err := <-puts:
			if err != nil {
				t.Errorf("a put that may not be made is an error: %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Fatal("nothing was put")
		}
	}
}

// A user who may only read Redis: told so, the SDK never tries; not told, it tries
// once, says so once, and counts no error. Either way everything works.
func TestRedisForReadingOnly(t *testing.T) {
	for _, told := range []string{"&access=read", ""} {
		t.Run("told"+told, func(t *testing.T) {
			addr, admin := restricted(t)
			dir := t.TempDir() + "/flags.json"
			writeFlags(t, dir, "on")
			puts, log := make(chan error, 64), &logged{}
			c, err := standard.New(t.Context(), standard.Config{
				Primary: "file:" + dir, CacheTimeout: 5 * time.Second, CacheTTL: time.Second,
				Cache:  "redis://holdfast-sdk:secret@" + addr + "?prefix=holdfast" + told,
				Logger: slog.New(slog.NewTextHandler(log, nil)),
				Observer: flags.Observer{Answered: func(_, op string, _ time.Duration, err error) {
					if op == "put" {
						select {
						case puts <- err:
						default:
						}
					}
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			putsOf(puts, 3, t) // into the memory below, at least
			if !c.Bool(t.Context(), "beta", flags.Entity("me"), false) {
				t.Error("beta is off")
			}
			status, _ := c.Status().ByName("cache")
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if len(status.Errors) > 0 || status.Breaker != flags.GateClosed {
				t.Errorf("errors %v, breaker %v", status.Errors, status.Breaker)
			}
			want := 0
			if told == "" {
				want = 1
			}
			if n := denials(t, admin); n != want {
				t.Errorf("the server refused %d attempts, want %d", n, want)
			}
			if n := log.count("level=INFO msg=\"cache is read-only"); n != want {
				t.Errorf("told %d times, want %d:\n%s", n, want, &log.text)
			}
		})
	}
}

// The restricted user starts from what the writer left in Redis.
func TestRedisForReadingIsRead(t *testing.T) {
	addr, admin := restricted(t)
	writer, err := rediscache.Open("redis://"+addr, &rediscache.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	set := flags.NewContents("default")
	create := flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{{
		Key: flags.FlagKey("beta"), Bytes: []byte(`{"defaultVariant":"on","state":"ENABLED","variants":{"off":false,"on":true}}`),
	}}}
	if err := set.Seal(&create); err != nil {
		t.Fatal(err)
	}
	if err := set.Apply(&create); err != nil {
		t.Fatal(err)
	}
	if _, err := writer.Put(t.Context(), cachestrategy.Offer{Update: flags.Update{Head: set.Head(), Checkpoint: set.Checkpoint()}}); err != nil {
		t.Fatal(err)
	}
	c := open(t, standard.Config{
		Primary: "grpc://127.0.0.1:1", Cache: "redis://holdfast-sdk:secret@" + addr + "?memory=0", CacheReadOnly: true, CacheTimeout: 5 * time.Second,
		StartTimeout: 20 * time.Second,
	})
	if d := c.BoolDetails(t.Context(), "beta", flags.Entity("me"), false); !d.Value || d.Layer() != "cache" {
		t.Errorf("%v from %q: %v", d.Value, d.Layer(), c.Status().Layers)
	}
	if n := denials(t, admin); n != 0 {
		t.Errorf("the server refused %d attempts", n)
	}
}

// wire is a way to a MongoDB that notes the commands that pass and lets no write through.
type wire struct {
	net.Listener
	target string
	mu     sync.Mutex
	seen   map[string]int
}

// writing are the commands that a user with the role "read" may not send.
var writing = []string{"insert", "update", "delete", "findAndModify", "createIndexes", "create", "drop", "dropIndexes", "dropDatabase", "collMod"}

func newWire(t *testing.T, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, target: target, seen: map[string]int{}}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { w.pass(client) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		running.Wait()
	})
	return w
}

func (w *wire) pass(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", w.target)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	}()
	for {
		message, err := readMessage(client)
		if err != nil || w.note(message) {
			return
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

func readMessage(r io.Reader) ([]byte, error) {
	var length [4]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, err
	}
	message := make([]byte, binary.LittleEndian.Uint32(length[:]))
	copy(message, length[:])
	_, err := io.ReadFull(r, message[4:])
	return message, err
}

// note counts the command of a message and reports whether it is a write: in an OP_MSG
// the name is the first key of the first document.
func (w *wire) note(message []byte) (write bool) {
	const opMsg, body = 2013, 16 + 4 + 1 + 4 + 1 // header, flags, kind, length of the document, type of the first element
	if binary.LittleEndian.Uint32(message[12:]) != opMsg || len(message) <= body {
		return false
	}
	name, _, _ := bytes.Cut(message[body:], []byte{0})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[string(name)]++
	return slices.Contains(writing, string(name))
}

func (w *wire) attempts() (writes, reads int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, n := range w.seen {
		if slices.Contains(writing, name) {
			writes += n
		} else if name == "find" {
			reads += n
		}
	}
	return writes, reads
}

// A MongoDB that lets nobody write serves the SDK as primary and as secondary, and is
// not even asked to.
func TestMongoForReadingOnly(t *testing.T) {
	uri := testenv.Mongo(t)
	address, database, _ := strings.Cut(strings.TrimPrefix(uri, "mongodb://"), "/")
	writer, err := mongostore.Open(t.Context(), uri, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = writer.Close() }()
	apply := func(op flags.Op, variant string) flags.Commit {
		t.Helper()
		c, err := writer.Apply(t.Context(), flags.Commit{Set: "default", ID: flags.NewCommitID(), Op: op, Changes: []flags.Mutation{{
			Key: flags.FlagKey("beta"), Bytes: []byte(`{"defaultVariant":"` + variant + `","state":"ENABLED","variants":{"off":false,"on":true}}`),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	apply(flags.OpCreate, "off")
	for role, cfg := range map[string]func(url string) standard.Config{
		"primary": func(url string) standard.Config { return standard.Config{Primary: url} },
		"secondary": func(url string) standard.Config {
			return standard.Config{Primary: "grpc://127.0.0.1:1", Secondary: url}
		},
	} {
		w := newWire(t, address)
		config := cfg("mongodb://" + w.Addr().String() + "/" + database)
		config.PrimaryTimeout, config.SecondaryTimeout, config.StartTimeout = 10*time.Second, 10*time.Second, 20*time.Second
		c := open(t, config)
		changed := apply(flags.OpChange, "on")
		head := changed.Head()
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		for c.Token(ctx).Version.Before(head.Version) {
			select {
			case <-ctx.Done():
				t.Fatalf("as %s: it is at %s, the store at %s: %+v", role, c.Token(ctx), head.Token(), c.Status().Layers)
			case <-time.After(20 * time.Millisecond):
			}
		}
		cancel()
		if !c.Bool(t.Context(), "beta", flags.Entity("me"), false) {
			t.Errorf("as %s: beta is off", role)
		}
		status, _ := c.Status().ByName(role)
		if len(status.Errors) > 0 {
			t.Errorf("as %s: errors %v", role, status.Errors)
		}
		if writes, reads := w.attempts(); writes > 0 || reads == 0 {
			t.Errorf("as %s: %d attempts to write, %d reads: %v", role, writes, reads, w.seen)
		}
	}
}

// The router's user, as docs/security.md has it, publishes, and can do nothing else to the
// server.
func TestRedisForTheRouter(t *testing.T) {
	addr, admin := restricted(t)
	cache, err := rediscache.Open("redis://holdfast-router:secret@"+addr, &rediscache.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	set := flags.NewContents("default")
	create := flags.Commit{Op: flags.OpCreate}
	if err := set.Seal(&create); err != nil {
		t.Fatal(err)
	}
	if err := set.Apply(&create); err != nil {
		t.Fatal(err)
	}
	layer := cachestrategy.NewLayer(cache, &cachestrategy.LayerOptions{Authoritative: func(flags.Lineage) bool { return true }, Origin: true})
	put := func() error {
		return layer.Put(t.Context(), flags.Update{Head: set.Head(), Checkpoint: set.Checkpoint()}, nil)
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if head, err := layer.Head(t.Context(), "default"); err != nil || head != set.Head() {
		t.Errorf("the head is %v, %v", head, err)
	}
	if err := cache.Invalidate(t.Context(), "default"); err != nil {
		t.Error(err)
	}
	if n := denials(t, admin); n != 0 {
		t.Errorf("the server refused %d attempts", n)
	}
	user := redis.NewClient(&redis.Options{Addr: addr, Username: "holdfast-router", Password: "secret", DisableIdentity: true})
	defer func() { _ = user.Close() }()
	for _, command := range [][]any{{"SET", "other:key", "x"}, {"GET", "other:key"}, {"FLUSHALL"}, {"KEYS", "*"}, {"CONFIG", "GET", "*"}, {"ACL", "LIST"}} {
		if err := user.Do(t.Context(), command...).Err(); err == nil || !strings.Contains(err.Error(), "NOPERM") {
			t.Errorf("%v: %v", command, err)
		}
	}
}

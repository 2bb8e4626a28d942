package restwire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// history is a set of one flag: its checkpoint and the commit after it, encoded.
func history(t testing.TB) (cp *flags.Checkpoint, encoded, commit []byte, head flags.Head) {
	t.Helper()
	contents := flags.NewContents("shop")
	seal := func(c flags.Commit) []byte {
		c.Set, c.ID = "shop", flags.NewCommitID()
		if err := contents.Seal(&c); err != nil {
			t.Fatal(err)
		}
		if err := contents.Apply(&c); err != nil {
			t.Fatal(err)
		}
		b, err := c.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	def := []byte(`{"defaultVariant":"v","state":"ENABLED","variants":{"v":1}}`)
	seal(flags.Commit{Op: flags.OpCreate, Changes: []flags.Mutation{{Key: flags.FlagKey("a"), Bytes: def}}})
	cp = contents.Checkpoint()
	encoded, err := cp.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	commit = seal(flags.Commit{Changes: []flags.Mutation{{Key: flags.FlagKey("b"), Bytes: def}}})
	return cp, encoded, commit, contents.Head()
}

func parts(t testing.TB) (whole []byte, cp *flags.Checkpoint, head flags.Head) {
	t.Helper()
	cp, encoded, commit, head := history(t)
	p := restwire.NewParts(head)
	p.Reason("too old")
	p.Checkpoint(encoded)
	p.Commit(commit)
	pieces, size := p.End()
	if whole = bytes.Join(pieces, nil); len(whole) != size {
		t.Fatalf("%d bytes, said to be %d", len(whole), size)
	}
	return whole, cp, head
}

func TestParts(t *testing.T) {
	whole, cp, head := parts(t)
	progress := 0
	got, err := restwire.ReadParts(iotest.OneByteReader(bytes.NewReader(whole)), func(*restwire.Received) { progress++ })
	if err != nil || got.Head != head || got.Reason != "too old" || got.Checkpoint.Head != cp.Head || len(got.Commits) != 1 || progress != 4 {
		t.Fatalf("got %+v, %v after %d parts", got, err, progress)
	}
	for n := range whole {
		if got, err := restwire.ReadParts(bytes.NewReader(whole[:n]), nil); !errors.Is(err, io.ErrUnexpectedEOF) || got != nil {
			t.Fatalf("of %d bytes: %+v, %v", n, got, err)
		}
	}
	// Of a newer router: a part of another kind.
	at := len("HFR\x01")
	newer := append(append(append([]byte{}, whole[:at]...), "Z\x00\x00\x00\x02zz"...), whole[at:]...)
	if got, err := restwire.ReadParts(bytes.NewReader(newer), nil); err != nil || got.Head != head {
		t.Errorf("with an unknown part: %v", err)
	}
	twice := append(append([]byte{}, whole[:len(whole)-5]...), whole[at:]...)
	if _, err := restwire.ReadParts(bytes.NewReader(twice), nil); !errors.Is(err, flags.ErrFormat) {
		t.Errorf("with two checkpoints: %v", err)
	}
}

// FuzzParts: whatever comes, what comes out adds up, and nothing panics.
func FuzzParts(f *testing.F) {
	whole, _, _ := parts(f)
	f.Add(whole)
	f.Add(whole[:len(whole)-5])
	f.Add([]byte("HFR\x01H\x00\x00\x00\x00C\xff\xff\xff\xff"))
	f.Add([]byte("HFR\x01E\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := restwire.ReadParts(bytes.NewReader(data), nil)
		if (got == nil) == (err == nil) {
			t.Fatalf("%+v, %v", got, err)
		}
		if got != nil && got.Checkpoint != nil {
			if err := got.Checkpoint.Verify(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestEvents(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []restwire.Event
	}{
		{"plain", "event: a\ndata: 1\n\nevent: b\ndata: 2\n\n", []restwire.Event{{Name: "a", Data: []byte("1")}, {Name: "b", Data: []byte("2")}}},
		{"ends of lines", "event: a\r\ndata: 1\r\n\r\ndata: 2\r\rdata: 3\n\n", []restwire.Event{{Name: "a", Data: []byte("1")}, {Data: []byte("2")}, {Data: []byte("3")}}},
		{"a mark", "\ufeffdata: 1\n\n", []restwire.Event{{Data: []byte("1")}}},
		{"lines of data", "data: 1\ndata\ndata:2\n\n", []restwire.Event{{Data: []byte("1\n\n2")}}},
		{"ids stay", "id: x\ndata: 1\n\ndata: 2\n\nid\ndata: 3\n\nid: a\x00b\ndata: 4\n\n", []restwire.Event{
			{ID: "x", Data: []byte("1")}, {ID: "x", Data: []byte("2")}, {Data: []byte("3")}, {Data: []byte("4")},
		}},
		{"retry", "retry: 1500\ndata: 1\n\nretry: -1\ndata: 2\n\nretry: soon\ndata: 3\n\n", []restwire.Event{
			{Data: []byte("1"), Retry: 1500 * time.Millisecond}, {Data: []byte("2")}, {Data: []byte("3")},
		}},
		{"comments and what is unknown", ": hello\n\n:\n\nshape: round\ndata: 1\n: in between\n\n", []restwire.Event{{Data: []byte("1")}}},
		{"cut short", "data: 1\n\ndata: 2\n", []restwire.Event{{Data: []byte("1")}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := restwire.NewEventReader(iotest.OneByteReader(strings.NewReader(c.text)))
			var got []restwire.Event
			for {
				ev, err := r.Next()
				if err == nil {
					got = append(got, ev)
					continue
				}
				if !errors.Is(err, io.EOF) || !reflect.DeepEqual(got, c.want) {
					t.Fatalf("got %+v, %v, want %+v", got, err, c.want)
				}
				return
			}
		})
	}
}

func TestEventsAreBounded(t *testing.T) {
	for name, more := range map[string]string{"one line": "x", "many lines": "data: 12345\n", "comments": ":c\n"} {
		endless := io.MultiReader(strings.NewReader("data: "), strings.NewReader(strings.Repeat(more, restwire.MaxEventBytes/len(more)*3)))
		if _, err := restwire.NewEventReader(endless).Next(); !errors.Is(err, flags.ErrTooLarge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzEvents: events survive being written and read, and nothing panics.
func FuzzEvents(f *testing.F) {
	f.Add([]byte("retry: 10\nid: shop@0.1\nevent: commits\ndata: e30=\n\n"))
	f.Add([]byte("\ufeff: x\r\rdata\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := restwire.NewEventReader(bytes.NewReader(data))
		for {
			ev, err := r.Next()
			if err != nil {
				return
			}
			if bytes.ContainsAny(ev.Data, "\n") || ev.Name == "" {
				continue // not of the kind that we write
			}
			again, err := restwire.NewEventReader(bytes.NewReader(ev.Append(nil))).Next()
			if ev.Data == nil {
				ev.Data = []byte{}
			}
			if err != nil || again.ID != ev.ID || again.Name != ev.Name || !bytes.Equal(again.Data, ev.Data) || again.Retry != ev.Retry {
				t.Fatalf("%+v became %+v, %v", ev, again, err)
			}
		}
	})
}

func TestHeads(t *testing.T) {
	_, _, _, head := history(t)
	for _, status := range []flags.Status{flags.StatusLive, flags.StatusSealed, flags.StatusDeleted} {
		head.Status, head.Time = status, time.UnixMicro(1_700_000_000_000_001).UTC()
		b, err := json.Marshal(restwire.FromHead(head))
		if err != nil {
			t.Fatal(err)
		}
		var m restwire.Head
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if got, err := m.ToHead(); err != nil || got != head {
			t.Errorf("%s became %+v, %v", b, got, err)
		}
	}
	good := restwire.FromHead(head)
	for name, spoil := range map[string]func(*restwire.Head){
		"digest": func(m *restwire.Head) { m.Digest = m.Digest[1:] }, "status": func(m *restwire.Head) { m.Status = "" },
		"count": func(m *restwire.Head) { m.Count = -1 }, "huge count": func(m *restwire.Head) { m.Count = 1 << 40 },
	} {
		m := good
		spoil(&m)
		if _, err := m.ToHead(); !errors.Is(err, flags.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProblemsAreExplained: a type leads to a heading, and no heading to nothing.
func TestProblemsAreExplained(t *testing.T) {
	page, err := os.ReadFile("../../docs/problems.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{} // two errors may be one kind
	for _, k := range restwire.Kinds {
		_, name, _ := strings.Cut(k.With("").Type, "/docs/problems.md#")
		if names[name] = true; name == "" || !strings.Contains(string(page), "\n## "+name+"\n\n"+strconv.Itoa(k.Status)+". ") {
			t.Errorf("%s is not explained as %d", k.With("").Type, k.Status)
		}
	}
	if got := strings.Count(string(page), "\n## "); got != len(names) {
		t.Errorf("%d kinds are explained, there are %d", got, len(names))
	}
}

func TestProblems(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		is     error
	}{
		{store.Classify("memstore: head shop", store.ErrNotFound), 404, store.ErrNotFound},
		{store.Classify("memstore: commits shop", store.ErrCompacted), 410, store.ErrCompacted},
		{fmt.Errorf("%w token", flags.ErrInvalid), 400, flags.ErrInvalid},
		{store.Classify("op", store.ErrClosed), 503, nil},
		{&flags.SourceError{Class: flags.ClassDenied, Err: errors.New("no")}, 403, nil},
		{&flags.SourceError{Class: flags.ClassPermanent, Err: errors.New("no")}, 500, nil},
		{errors.New("unheard of"), 503, nil},
	} {
		p := restwire.FromError(c.err)
		body, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := restwire.ParseProblem("Application/Problem+JSON; charset=utf-8", body)
		if !ok || !reflect.DeepEqual(got, p) || got.Status != c.status || strings.Contains(got.Detail, "memstore") {
			t.Errorf("%v became %+v", c.err, got)
		}
		if kind, ours := got.Kind(); ours != (c.is != nil) || c.is != nil && !errors.Is(kind.Err, c.is) {
			t.Errorf("%v: kind %+v", c.err, kind)
		}
	}
	if _, ok := restwire.ParseProblem("text/html", []byte("{}")); ok {
		t.Error("a page is a problem of ours")
	}
}

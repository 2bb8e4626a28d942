package restapi

import (
	"encoding/base64"
	"encoding/json"
	"sync"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/internal/restwire"
	"github.com/holdfast-flags/holdfast/store"
)

// shared keeps what went to the last client of a set in the form it was sent in:
// most likely it goes to the next one, too.
type shared struct {
	mu  sync.Mutex
	at  flags.Head // of doc
	doc []byte

	whole *flags.Checkpoint // for lists and single entries

	json   lastEvent
	frames lastEvent
}

// lastEvent is the event of some commits.
type lastEvent struct {
	from, to flags.Head
	text     []byte
}

func (s *Service) sharedOf(set string) *shared {
	if sh, ok := s.shared.Load(set); ok {
		return sh.(*shared)
	}
	sh, _ := s.shared.LoadOrStore(set, &shared{})
	return sh.(*shared)
}

// document returns the answer, a whole set, as a flagd file.
func (sh *shared) document(a *answer) ([]byte, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.doc != nil && sh.at == a.head {
		return sh.doc, nil
	}
	doc, err := a.document()
	if err != nil {
		return nil, err
	}
	if sh.doc == nil || !a.head.Version.Before(sh.at.Version) {
		sh.at, sh.doc = a.head, doc
	}
	return doc, nil
}

// event returns the text of an event with the commits of records.
func (sh *shared) event(records []store.Record, frames bool) ([]byte, error) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	last, encode := &sh.json, commitsAsJSON
	if frames {
		last, encode = &sh.frames, commitsAsFrames
	}
	from, to := records[0].Commit.Head(), records[len(records)-1].Commit.Head()
	if last.text != nil && from == last.from && to == last.to {
		return last.text, nil
	}
	data, err := encode(to, records)
	if err != nil {
		return nil, err
	}
	ev := restwire.Event{ID: to.Token().String(), Name: restwire.EventCommits, Data: data}
	text := ev.Append(nil)
	// The newest and shortest is what those get who are not behind.
	if !to.Version.Before(last.to.Version) && !from.Version.Before(last.from.Version) {
		last.from, last.to, last.text = from, to, text
	}
	return text, nil
}

func commitsAsJSON(to flags.Head, records []store.Record) ([]byte, error) {
	out := struct {
		Head    restwire.Head     `json:"head"`
		Commits []restwire.Commit `json:"commits"`
	}{Head: restwire.FromHead(to)}
	for i := range records {
		out.Commits = append(out.Commits, restwire.FromCommit(&records[i].Commit))
	}
	return json.Marshal(out)
}

func commitsAsFrames(to flags.Head, records []store.Record) ([]byte, error) {
	a := answer{head: to, records: records}
	pieces, err := a.frames()
	if err != nil {
		return nil, err
	}
	var whole []byte
	for _, p := range pieces {
		whole = append(whole, p...)
	}
	return base64.StdEncoding.AppendEncode(nil, whole), nil
}

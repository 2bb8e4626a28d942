package mongostore_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.mongodb.org/mongo-driver/v2/event"

	"github.com/holdfast-flags/holdfast/store/mongostore"
)

// actions are what MongoDB's access control demands for each command that a store
// sends, nil for those it lets everybody send. One that is not here is an error of the
// check.
var actions = map[string][]string{
	"find": {"find"}, "aggregate": {"find"}, "getMore": {"find"},
	"insert": {"insert"}, "update": {"update"}, "delete": {"remove"}, "findAndModify": {"find", "update"},
	"createIndexes": {"createIndex"},
	"killCursors":   nil, "endSessions": nil, "hello": nil, "ping": nil,
}

// right is an action of a role on a collection.
type right struct{ role, action, collection string }

// rights are those that the stores of all tests of this package have made use of.
var rights = &used{seen: map[right]string{}}

type used struct {
	mu   sync.Mutex
	seen map[right]string // -> the command
}

// monitor notes what a store with these options sends.
func (u *used) monitor(opts *mongostore.Options) *event.CommandMonitor {
	role := "holdfastRouter"
	if opts != nil && opts.ReadOnly {
		role = "holdfastSDK"
	}
	return &event.CommandMonitor{Started: func(_ context.Context, e *event.CommandStartedEvent) {
		level, _ := e.Command.Lookup("readConcern", "level").StringValueOK()
		if _, one := e.Command.Lookup("writeConcern", "w").Int32OK(); one || level == "local" {
			return // a test's own; see Collection
		}
		need, known := actions[e.CommandName]
		if !known {
			need = []string{"?"}
		}
		on, _ := e.Command.Lookup(e.CommandName).StringValueOK()
		if e.CommandName == "getMore" {
			on, _ = e.Command.Lookup("collection").StringValueOK()
		}
		if strings.Contains(e.Command.String(), `"upsert": true`) || strings.Contains(e.Command.String(), `"upsert":true`) {
			need = append([]string{"insert"}, need...)
		}
		u.mu.Lock()
		defer u.mu.Unlock()
		if slices.Contains(need, "insert") {
			need = append(slices.Clone(need), "createCollection") // some servers want it of who inserts first
		}
		for _, action := range need {
			u.seen[right{role, action, on}] = e.CommandName
		}
	}}
}

// check compares with the roles of docs/security.md: nothing else may be used, and, if
// all tests have run, nothing less may be granted.
func (u *used) check(all bool) (faults []string) {
	granted, err := grantedBy("../../docs/security.md")
	if err != nil {
		return []string{err.Error()}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.seen) == 0 {
		return nil
	}
	for r, command := range u.seen {
		if !granted[r] {
			faults = append(faults, fmt.Sprintf("%s is not granted %s on %s, which %s needs", r.role, r.action, r.collection, command))
		}
	}
	for r := range granted {
		if _, needed := u.seen[r]; all && !needed {
			faults = append(faults, fmt.Sprintf("%s is granted %s on %s, which nothing needs", r.role, r.action, r.collection))
		}
	}
	return faults
}

var (
	roleText = regexp.MustCompile(`(?s)createRole\(\{ role: "(\w+)", roles: \[\], privileges:(.*?)\}\)\n`)
	listText = regexp.MustCompile(`may\(\[(.*?)\], \[(.*?)\]\)`)
)

func grantedBy(path string) (map[right]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	granted := map[right]bool{}
	for _, role := range roleText.FindAllStringSubmatch(string(text), -1) {
		for _, lists := range listText.FindAllStringSubmatch(role[2], -1) {
			for _, collection := range quoted(lists[1]) {
				for _, action := range quoted(lists[2]) {
					granted[right{role[1], action, collection}] = true
				}
			}
		}
	}
	if len(granted) == 0 {
		return nil, fmt.Errorf("%s: no roles found", path)
	}
	return granted, nil
}

var quotedText = regexp.MustCompile(`"([^"]+)"`)

func quoted(list string) (out []string) {
	for _, m := range quotedText.FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	return out
}

// audited runs the tests, then the check.
type audited struct{ tests interface{ Run() int } }

func (a audited) Run() int {
	code := a.tests.Run()
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	for _, fault := range rights.check(all && code == 0) {
		fmt.Fprintln(os.Stderr, "docs/security.md:", fault)
		code = max(code, 1)
	}
	return code
}

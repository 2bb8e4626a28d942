package storetest

import (
	"cmp"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-flags/holdfast/flags"
	"github.com/holdfast-flags/holdfast/store"
)

// Harness is how the suite gets at a driver. Hooks report their own troubles
// through t and register their cleaning up with it.
type Harness struct {
	// New returns an open, empty store that nobody else uses. Required.
	New func(t testing.TB) store.Store

	// Reopen closes s and opens the same data again. Nil: except "reopen" and "tamper".
	Reopen func(t testing.TB, s store.Store) store.Store

	// Compact makes the journal of set forget its oldest commits, the first one at
	// least. It may write commits of its own to get there, and returns once History
	// shows it. Nil: except "compaction".
	Compact func(t testing.TB, s store.Store, set string)

	// Tamper closes s, changes one byte that is stored of the newest commit of set,
	// and opens the store again, returning what opening returned. Nil: except "tamper".
	Tamper func(t testing.TB, s store.Store, set string) (store.Store, error)

	// Except maps the names of cases ("watch/resume") or areas ("watch") that the
	// driver cannot keep to the reason. An unknown name fails the suite.
	Except map[string]string

	// Volumes, smaller for slow stores; zero means the default. Some defaults are
	// larger with HOLDFAST_LONG=1 in the environment.
	Flags    int           // of a large set; default 2,000, long 10,000
	Bytes    int           // of a large commit; default 512 KiB, long 2 MiB
	Commits  int           // of a long history; default 600
	Writers  int           // at the same time; default 8
	Writes   int           // of each writer; default 25
	Patience time.Duration // until anything awaited counts as lost; default 15 s
}

func (h Harness) withDefaults() Harness {
	if os.Getenv("HOLDFAST_LONG") == "1" {
		h.Flags, h.Bytes = cmp.Or(h.Flags, 10_000), cmp.Or(h.Bytes, 2<<20)
	}
	h.Flags = cmp.Or(h.Flags, 2_000)
	h.Bytes = cmp.Or(h.Bytes, 512<<10)
	h.Commits = max(cmp.Or(h.Commits, 600), 20)
	h.Writers = cmp.Or(h.Writers, 8)
	h.Writes = cmp.Or(h.Writes, 25)
	h.Patience = cmp.Or(h.Patience, 15*time.Second)
	return h
}

// Case is one clause of the contract.
type Case struct {
	Name string // area/clause
	Run  func(t testing.TB, h Harness)
}

// Cases returns all clauses in the order in which Run checks them.
func Cases() []Case {
	var cases []Case
	for _, a := range []struct {
		name    string
		clauses map[string]func(*env)
	}{
		{"revisions", revisionClauses},
		{"preconditions", preconditionClauses},
		{"idempotency", idempotencyClauses},
		{"history", historyClauses},
		{"compaction", compactionClauses},
		{"fetch", fetchClauses},
		{"watch", watchClauses},
		{"lifecycle", lifecycleClauses},
		{"names", nameClauses},
		{"volume", volumeClauses},
		{"concurrency", concurrencyClauses},
		{"errors", errorClauses},
		{"reopen", reopenClauses},
		{"tamper", tamperClauses},
	} {
		for _, clause := range slices.Sorted(maps.Keys(a.clauses)) {
			run := a.clauses[clause]
			cases = append(cases, Case{a.name + "/" + clause, func(t testing.TB, h Harness) {
				h = h.withDefaults()
				run(&env{TB: t, h: h, s: h.New(t)})
			}})
		}
	}
	return cases
}

// Run holds a driver to the contract.
func Run(t *testing.T, h Harness) {
	cases := Cases()
	checkExceptions(t, cases, h.Except)
	for _, c := range cases {
		if reason := excepted(h.Except, c.Name); reason != "" {
			t.Logf("%s: excepted: %s", c.Name, reason)
			continue
		}
		t.Run(c.Name, func(t *testing.T) { c.Run(t, h) })
	}
}

func excepted(except map[string]string, name string) string {
	area, _, _ := strings.Cut(name, "/")
	return cmp.Or(except[name], except[area])
}

// checkExceptions refuses exceptions that say nothing, or about nothing.
func checkExceptions(t testing.TB, cases []Case, except map[string]string) {
	t.Helper()
	for name, reason := range except {
		known := slices.ContainsFunc(cases, func(c Case) bool {
			return c.Name == name || strings.HasPrefix(c.Name, name+"/")
		})
		if !known || reason == "" {
			t.Fatalf("exception %q: want the name of a case or an area, and a reason", name)
		}
	}
}

// contentsOf puts together the contents of a set as its readers would.
func contentsOf(e *env, set string) *flags.Contents {
	e.Helper()
	c := flags.NewContents(set)
	e.advance(c)
	return c
}

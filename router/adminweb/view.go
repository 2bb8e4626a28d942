package adminweb

import (
	"fmt"

	"github.com/holdfast-flags/holdfast/flags"
)

// view is what the page shows.
type view struct {
	Set     string
	Sets    []string
	Token   string
	Problem string // instead of the flags
	Deleted bool
	Flags   []row
	Total   int // flags in the set
	Others  string
}

// row is one flag.
type row struct {
	Key, Type, Default, Description, Changed string
	Enabled                                  bool
	Targeted                                 bool
}

func (v *view) fill(contents *flags.Contents, recent map[uint64]flags.Commit) {
	cp := contents.Checkpoint()
	v.Token = cp.Token().String()
	v.Deleted = cp.Status == flags.StatusDeleted
	counts := map[flags.Kind]int{}
	for _, e := range cp.Entries {
		counts[e.Key.Kind]++
		if e.Key.Kind == flags.KindFlag && len(v.Flags) < mostFlags {
			v.Flags = append(v.Flags, rowOf(e, recent))
		}
	}
	v.Total = counts[flags.KindFlag]
	v.Others = fmt.Sprintf("%d segments, %d overrides", counts[flags.KindEvaluator], counts[flags.KindOverride])
}

func rowOf(e flags.Entry, recent map[uint64]flags.Commit) row {
	r := row{Key: e.Key.Name, Changed: fmt.Sprintf("revision %d", e.Revision)}
	if c, ok := recent[e.Revision]; ok {
		r.Changed = fmt.Sprintf("%s by %s (revision %d)", c.Time.Format("2006-01-02 15:04:05 MST"), c.Actor.ID, e.Revision)
	}
	def, err := flags.ParseDefinition(e.Bytes)
	if err != nil {
		r.Description = "This flag cannot be read: " + err.Error()
		return r
	}
	r.Type, r.Enabled, r.Description = def.Type().String(), def.Enabled(), def.Description()
	r.Targeted = len(def.Targeting()) > 0
	r.Default = "caller's"
	if name, ok := def.DefaultVariant(); ok {
		r.Default = name
	}
	return r
}
